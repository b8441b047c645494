package io.peft4j.core.array;

import io.peft4j.core.Internal;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Opening of native libraries on more than one thread.
 *
 * <p>ND4J's start, and JavaCPP's settings of OpenBLAS, look functions up by name. JavaCPP does that with the dynamic
 * linker's list of libraries locked, and takes the lock for opening libraries inside; a thread that opens one takes the
 * two the other way round. If they meet, both wait for ever. So all code of ours that opens a library or looks
 * functions up does it here.
 */
@Internal(shared = true)
public final class NativeLibraries {
    private NativeLibraries() {
    }

    /** Loads a library of JavaCPP, if that has not been done. */
    public static void load(Class<?> library) {
        open(() -> Loader.load(library));
    }

    /**
     * Loads OpenBLAS with LAPACK, with at most as many threads as this process may use processors: ND4J gives it one
     * for each core of the machine, and in a container or with an affinity the others would only wait.
     */
    public static void loadLapack() {
        open(() -> {
            Loader.load(openblas.class);
            int processors = Runtime.getRuntime().availableProcessors();
            if (openblas_nolapack.blas_get_num_threads() > processors) {
                openblas_nolapack.blas_set_num_threads(processors);
            }
        });
    }

    /**
     * Runs {@code opening} when ND4J has started, which it does here if need be, and while nothing else runs here.
     *
     * @throws RuntimeException what {@code opening} throws
     */
    public static synchronized void open(Runnable opening) {
        Nd4j.getExecutioner();
        opening.run();
    }
}
