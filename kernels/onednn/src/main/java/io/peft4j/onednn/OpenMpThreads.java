package io.peft4j.onednn;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * How many OpenMP threads a native call made by the present thread may use. oneDNN's calls get one: our own threads
 * share the work. The setting belongs to the thread that makes it, and ND4J, which runs on the same OpenMP library,
 * exposes it; the caller's setting is put back after each operation, so that ND4J's own operations keep their threads.
 */
final class OpenMpThreads {
    private final NativeOps operations;

    OpenMpThreads() {
        // The holder is filled when ND4J starts.
        Nd4j.getExecutioner();
        operations = NativeOpsHolder.getInstance().getDeviceNativeOps();
    }

    /** Allows one thread and returns the former number. */
    int limit() {
        int former = operations.ompGetMaxThreads();
        if (former != 1) {
            operations.setOmpNumThreads(1);
        }
        return former;
    }

    /** Puts the former number back. */
    void restore(int former) {
        if (former != 1) {
            operations.setOmpNumThreads(former);
        }
    }
}
