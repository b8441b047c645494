package io.peft4j.core.array;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.junit.jupiter.api.Test;

/** Decompositions give back their matrix. */
class SingularValuesTest {
    @Test
    void theProductOfAllPartsIsTheMatrix() {
        for (int[] shape : new int[][] {{5, 3}, {3, 5}, {1, 4}, {40, 17}}) {
            double[] matrix = random(shape[0], shape[1]);
            int rank = Math.min(shape[0], shape[1]);
            SingularValues values = SingularValues.of(matrix.clone(), shape[0], shape[1], rank);
            for (int i = 0; i < matrix.length; i++) {
                assertEquals(matrix[i], product(values, i / shape[1], i % shape[1], rank, shape[1]), 1e-12);
            }
            assertEquals(0, values.lost());
            for (int k = 1; k < rank; k++) {
                assertTrue(values.s()[k] <= values.s()[k - 1]);
            }
        }
    }

    @Test
    void theReportedErrorIsThatOfTheDroppedValues() {
        double[] matrix = random(12, 9);
        SingularValues values = SingularValues.of(matrix.clone(), 12, 9, 4);
        double error = 0;
        double norm = 0;
        for (int i = 0; i < matrix.length; i++) {
            error += Math.pow(matrix[i] - product(values, i / 9, i % 9, 4, 9), 2);
            norm += matrix[i] * matrix[i];
        }
        assertEquals(Math.sqrt(error), values.lost(), 1e-12);
        assertEquals(Math.sqrt(norm), values.norm(), 1e-12);
    }

    /** Few values come from eigenvalues, as many as half of them do not. */
    @Test
    void partialValuesMatchTheFullDecomposition() {
        for (int[] shape : new int[][] {{90, 40}, {40, 90}}) {
            double[] matrix = random(shape[0], shape[1]);
            SingularValues few = SingularValues.of(matrix.clone(), shape[0], shape[1], 6);
            SingularValues whole = SingularValues.of(matrix.clone(), shape[0], shape[1], 20);
            double lost = whole.lost() * whole.lost();
            for (int k = 19; k >= 6; k--) {
                lost += whole.s()[k] * whole.s()[k];
            }
            assertEquals(Math.sqrt(lost), few.lost(), 1e-12);
            assertEquals(whole.norm(), few.norm(), 1e-12);
            for (int k = 0; k < 6; k++) {
                assertEquals(whole.s()[k], few.s()[k], 1e-12);
                double u = 0;
                double v = 0;
                for (int i = 0; i < shape[0]; i++) {
                    u += few.u()[i * 6 + k] * whole.u()[i * 20 + k];
                }
                for (int j = 0; j < shape[1]; j++) {
                    v += few.vt()[k * shape[1] + j] * whole.vt()[k * shape[1] + j];
                }
                // The same unit vectors, both perhaps with the other sign.
                assertEquals(1, u * v, 1e-12);
            }
        }
    }

    @Test
    void aMatrixOfLowRankLosesNothing() {
        double[] matrix = new double[60 * 48];
        double[] left = random(60, 3);
        double[] right = random(48, 3);
        for (int i = 0; i < matrix.length; i++) {
            for (int k = 0; k < 3; k++) {
                matrix[i] += left[i / 48 * 3 + k] * right[i % 48 * 3 + k] * (k == 2 ? 1e-6 : 1);
            }
        }
        for (int rank : new int[] {2, 3, 5}) {
            SingularValues values = SingularValues.of(matrix.clone(), 60, 48, rank);
            double error = 0;
            for (int i = 0; i < matrix.length; i++) {
                error += Math.pow(matrix[i] - product(values, i / 48, i % 48, rank, 48), 2);
            }
            assertEquals(Math.sqrt(error), values.lost(), 1e-12, "rank " + rank);
            assertTrue(rank == 2 ? values.lost() > 1e-7 : values.lost() < 1e-13, "rank " + rank);
        }
    }

    @Test
    void aRankAboveTheMatrixIsFilledWithZeros() {
        SingularValues values = SingularValues.of(new double[] {3, 4}, 1, 2, 3);
        assertEquals(5, values.s()[0], 1e-12);
        assertEquals(0, values.s()[2]);
        assertEquals(6, values.vt().length);
        assertThrows(ArithmeticException.class, () -> SingularValues.of(new double[] {Double.NaN}, 1, 1, 1));
    }

    /** ND4J counts the machine's cores, also where a container has fewer. */
    @Test
    void openBlasHasNoMoreThreadsThanTheProcessMayUseProcessors() {
        int processors = Runtime.getRuntime().availableProcessors();
        NativeLibraries.loadLapack();
        int before = openblas_nolapack.blas_get_num_threads();
        try {
            NativeLibraries.open(() -> openblas_nolapack.blas_set_num_threads(processors + 1));
            assertEquals(processors + 1, openblas_nolapack.blas_get_num_threads());
            SingularValues.of(random(5, 3), 5, 3, 3);
            assertEquals(processors, openblas_nolapack.blas_get_num_threads());
        } finally {
            NativeLibraries.open(() -> openblas_nolapack.blas_set_num_threads(before));
        }
    }

    private static double product(SingularValues values, int row, int column, int rank, int columns) {
        double sum = 0;
        for (int k = 0; k < rank; k++) {
            sum += values.u()[row * rank + k] * values.s()[k] * values.vt()[k * columns + column];
        }
        return sum;
    }

    private static double[] random(int rows, int columns) {
        SplittableRandom random = new SplittableRandom(rows);
        return random.doubles((long) rows * columns, -1, 1).toArray();
    }
}
