package io.peft4j.onednn;

import io.peft4j.core.kernel.Workers;
import org.bytedeco.dnnl.engine;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * The threads that share an operation. A task calls oneDNN on its part with one thread, so there are no OpenMP threads
 * that spin against ours, and several calls on the same rows cost one hand-over. Scratch memory that a task takes is
 * given back at its end.
 */
final class ThreadTeam implements AutoCloseable {
    /** A part of an operation. */
    @FunctionalInterface
    interface Task extends Workers.Task<ThreadContext> {
    }

    private final OpenMpThreads openMp = new OpenMpThreads();
    private final Workers<ThreadContext> workers;

    ThreadTeam(int threads, engine engine) {
        workers = new Workers<>(threads, "peft4j-onednn", () -> new ThreadContext(engine), openMp::limit);
    }

    /** The threads, for loops that call no native library. */
    Workers<ThreadContext> workers() {
        return workers;
    }

    int size() {
        return workers.size();
    }

    /** The caller's own lane, for work between the parallel parts. */
    ThreadContext caller() {
        return workers.caller();
    }

    /** Runs tasks 0 to {@code count - 1} and returns when all are done. */
    void run(int count, Task task) {
        int former = openMp.limit();
        try {
            workers.run(count, (lane, index) -> {
                try (Scratch.Frame frame = lane.scratch().frame()) {
                    task.run(lane, index);
                }
            });
        } finally {
            openMp.restore(former);
        }
    }

    /** Runs {@code work} on the caller's lane. */
    void alone(Task work) {
        run(1, work);
    }

    @Override
    public void close() {
        workers.close();
    }

    /**
     * How many OpenMP threads a native call made by the present thread may use. oneDNN's calls get one: our own threads
     * share the work. The setting belongs to the thread that makes it, and ND4J, which runs on the same OpenMP library,
     * exposes it; the caller's setting is put back after each operation, so that ND4J's own operations keep their
     * threads.
     */
    static final class OpenMpThreads {
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
}
