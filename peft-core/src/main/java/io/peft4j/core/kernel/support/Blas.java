package io.peft4j.core.kernel.support;

import io.peft4j.core.array.support.NativeLibraries;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Matrix products of f32 matrices at raw addresses, row-major, by OpenBLAS on the calling thread.
 *
 * <p>OpenBLAS's own threads cost more to start than a small product takes, and they wait for each other where several
 * callers share them. So its number of threads is set to one and products are cut up by {@link Workers}.
 */
final class Blas {
    /** Up to so many rows a product goes row by row as matrix times vector: sgemm is ten times slower there. */
    private static final int FEW_ROWS = 4;

    private Blas() {
    }

    /** Loads OpenBLAS and sets its number of threads, which is one for the whole process. */
    static void load() {
        NativeLibraries.open(() -> {
            Loader.load(openblas_nolapack.class);
            openblas_nolapack.blas_set_num_threads(1);
        });
    }

    /** OpenBLAS, loaded when it is first needed here. */
    private static final class Loaded {
        static {
            load();
        }

        private Loaded() {
        }

        /** Does nothing more. */
        static void ensure() {
        }
    }

    /** {@code C += op(A) B} of matrices in the heap, without gaps: op(A) [m, k], B [k, n], C [m, n]. */
    static void add(boolean transposeA, int m, int n, int k, float[] a, float[] b, float[] c) {
        Loaded.ensure();
        openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor,
                transposeA ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
                openblas_nolapack.CblasNoTrans, m, n, k, 1, a, transposeA ? m : k, b, n, 1, c, n);
    }

    /**
     * {@code C = alpha * op(A) op(B) + beta * C}: op(A) [m, k], op(B) [k, n], C [m, n]; beta is 0 or 1. Row i of a
     * matrix begins {@code i * stride} floats after its address.
     */
    static void product(ThreadScratch lane, boolean transposeA, boolean transposeB, int m, int n, int k, float alpha,
            long a,
            int strideA, long b, int strideB, float beta, long c, int strideC) {
        if (m <= FEW_ROWS && !transposeA) {
            for (int i = 0; i < m; i++) {
                openblas_nolapack.cblas_sgemv(openblas_nolapack.CblasRowMajor,
                        transposeB ? openblas_nolapack.CblasNoTrans : openblas_nolapack.CblasTrans,
                        transposeB ? n : k, transposeB ? k : n, alpha, lane.b.at(b), strideB,
                        lane.a.at(a + 4L * i * strideA), 1, beta, lane.c.at(c + 4L * i * strideC), 1);
            }
            return;
        }
        openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor,
                transposeA ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
                transposeB ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
                m, n, k, alpha, lane.a.at(a), strideA, lane.b.at(b), strideB, beta, lane.c.at(c), strideC);
    }
}
