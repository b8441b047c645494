package io.peft4j.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class Int8WeightTest {
    @Test
    void everyValueIsOffByAtMostHalfAStep() {
        Random random = new Random(11);
        for (int[] shape : new int[][] {{1, 1}, {3, 31}, {17, 577}, {5, 1000}}) {
            float[] values = new float[shape[0] * shape[1]];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() * Math.pow(10, i / shape[1] - 3));
            }
            try (Int8Weight weight = Int8Weight.of(values, shape[0], shape[1])) {
                float[] row = new float[shape[1]];
                for (int r = 0; r < shape[0]; r++) {
                    weight.readRow(r, row, 0);
                    float largest = 0;
                    for (int i = 0; i < row.length; i++) {
                        largest = Math.max(largest, Math.abs(values[r * row.length + i]));
                    }
                    for (int i = 0; i < row.length; i++) {
                        // Half a step, and a few roundings of float32 in computing it.
                        assertEquals(values[r * row.length + i], row[i], 0.5 * largest / 127 * (1 + 1e-4));
                    }
                }
            }
        }
    }

    @Test
    void theLargestValueOfARowIsKept() {
        try (Int8Weight weight = Int8Weight.of(new float[] {0.5f, -2f, 1f, 0f, 0f, 0f}, 2, 3)) {
            float[] rows = new float[6];
            weight.readRow(0, rows, 0);
            weight.readRow(1, rows, 3);
            // 0.5 is 31.75 steps of 2/127, so 32; 1 is 63.5 steps, to even 64.
            assertArrayEquals(new float[] {32 * (2f / 127), -2f, 64 * (2f / 127), 0f, 0f, 0f}, rows, 1e-7f);
            assertEquals(-2f, rows[1], 1e-7);
            assertEquals(6 + 8, weight.bytes());
            assertTrue(weight.isQuantized());
        }
    }

    @Test
    void readsPartsOfRows() {
        float[] values = {1, 2, 3, 4, 5, 6, 7, 127};
        try (Int8Weight weight = Int8Weight.of(values, 1, 8)) {
            float[] part = new float[5];
            weight.read(0, 2, 5, part, 1, new byte[3]);
            assertArrayEquals(new float[] {0, 3, 4, 5, 0}, part);
            assertThrows(IndexOutOfBoundsException.class, () -> weight.read(0, 2, 9, new float[9], 0, new byte[9]));
            assertThrows(IndexOutOfBoundsException.class, () -> weight.readRow(1, new float[8], 0));
        }
    }

    @Test
    void nonFiniteValuesAreRefused() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            try (Int8Weight weight = new Int8Weight(1, 3)) {
                assertThrows(IllegalArgumentException.class, () -> weight.quantizeRow(0, new float[] {1, bad, 2}, 0));
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new Int8Weight(0, 3));
    }

    @Test
    void rowsOfTinyAndHugeValuesStayFinite() {
        float[] values = {Float.MIN_VALUE, -Float.MIN_VALUE, 1e-38f, 3e38f, -3e38f, 1};
        try (Int8Weight weight = Int8Weight.of(values, 2, 3)) {
            float[] rows = new float[6];
            weight.readRow(0, rows, 0);
            weight.readRow(1, rows, 3);
            for (int i = 0; i < 3; i++) {
                assertEquals(values[i], rows[i], 1e-37);
            }
            assertEquals(3e38f, rows[3], 1e-6 * 3e38);
            assertEquals(-3e38f, rows[4], 1e-6 * 3e38);
            assertEquals(0f, rows[5]);
        }
    }
}
