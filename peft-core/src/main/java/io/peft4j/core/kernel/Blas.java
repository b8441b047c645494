package io.peft4j.core.kernel;

import io.peft4j.core.array.NativeLibraries;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Matrix products of f32 matrices at raw addresses, row-major, by OpenBLAS on the calling thread.
 *
 * <p>OpenBLAS's own threads cost more to start than a small product takes, and they wait for each other where several
 * callers share them. So products are cut up by {@link Workers}, and OpenBLAS has one thread, or products are too small
 * to be shared.
 */
final class Blas {
    /** Up to so many rows a product goes row by row as matrix times vector: sgemm is ten times slower there. */
    private static final int FEW_ROWS = 4;
    /** OpenBLAS computes a product of up to so many multiplications on the calling thread. */
    private static final int ON_ONE_THREAD = 1 << 18;
    /** And dot products of so many elements. */
    private static final int DOT = 4096;

    private Blas() {
    }

    static void load() {
        NativeLibraries.load(openblas_nolapack.class);
    }

    /** Loads OpenBLAS for {@link #product} and sets its number of threads, which is one for the whole process. */
    static void loadOnOneThread() {
        NativeLibraries.open(() -> {
            Loader.load(openblas_nolapack.class);
            openblas_nolapack.blas_set_num_threads(1);
        });
    }

    /**
     * {@code C = op(A) op(B) + beta * C} of matrices without gaps: op(A) [m, k], op(B) [k, n], C [m, n]. It is cut into
     * products that OpenBLAS never shares among threads, however many it has.
     */
    static void small(ThreadScratch lane, boolean transposeA, boolean transposeB, int m, int n, int k, long a, long b,
            float beta, long c) {
        int columns = Math.max(1, Math.min(n, ON_ONE_THREAD / k));
        int rows = Math.max(1, Math.min(m, ON_ONE_THREAD / (columns * k)));
        for (int j = 0; j < n; j += columns) {
            for (int i = 0; i < m; i += rows) {
                openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor,
                        transposeA ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
                        transposeB ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
                        Math.min(rows, m - i), Math.min(columns, n - j), k, 1,
                        lane.a.at(a + 4L * i * (transposeA ? 1 : k)), transposeA ? m : k,
                        lane.b.at(b + 4L * j * (transposeB ? k : 1)), transposeB ? k : n, beta,
                        lane.c.at(c + 4L * i * n + 4L * j), n);
            }
        }
    }

    /** The dot product of two arrays. */
    static float dot(ThreadScratch lane, int count, long a, long b) {
        float sum = 0;
        for (int i = 0; i < count; i += DOT) {
            sum += openblas_nolapack.cblas_sdot(Math.min(DOT, count - i), lane.a.at(a + 4L * i), 1,
                    lane.b.at(b + 4L * i), 1);
        }
        return sum;
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
