package io.peft4j.core.array;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
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
    void whatIsLeftOutIsTheErrorThatIsStated() {
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

    @Test
    void aRankAboveTheMatrixIsFilledWithZeros() {
        SingularValues values = SingularValues.of(new double[] {3, 4}, 1, 2, 3);
        assertEquals(5, values.s()[0], 1e-12);
        assertEquals(0, values.s()[2]);
        assertEquals(6, values.vt().length);
        assertThrows(ArithmeticException.class, () -> SingularValues.of(new double[] {Double.NaN}, 1, 1, 1));
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
