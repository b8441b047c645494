package io.peft4j.core.array;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class ArenaTest {
    @Test
    void liveArraysNeverOverlap() {
        Random random = new Random(5);
        try (Arena arena = new Arena()) {
            List<INDArray> live = new ArrayList<>();
            List<float[]> expected = new ArrayList<>();
            for (int i = 0; i < 3000; i++) {
                if (!live.isEmpty() && random.nextInt(100) < 45) {
                    int at = random.nextInt(live.size());
                    assertArrayEquals(expected.remove(at), Arrays.toFloats(live.get(at)));
                    arena.free(live.remove(at));
                } else {
                    INDArray array = arena.allocate(DataType.FLOAT, 1 + random.nextInt(40), 1 + random.nextInt(300));
                    float[] values = new float[(int) array.length()];
                    java.util.Arrays.fill(values, i);
                    Arrays.write(array, 0, values, 0, values.length);
                    live.add(array);
                    expected.add(values);
                }
            }
            for (int i = 0; i < live.size(); i++) {
                assertArrayEquals(expected.get(i), Arrays.toFloats(live.get(i)));
            }
        }
    }

    @Test
    void repeatedStepAllocatesNothingNew() {
        try (Arena arena = new Arena()) {
            List<INDArray> first = List.of();
            for (int step = 0; step < 4; step++) {
                List<INDArray> arrays = new ArrayList<>();
                for (int i = 1; i < 200; i++) {
                    arrays.add(arena.allocate(DataType.FLOAT, i, 1000));
                }
                if (step >= 2) {
                    for (int i = 0; i < arrays.size(); i++) {
                        assertSame(first.get(i), arrays.get(i), "the header is used again");
                    }
                }
                first = arrays;
                long held = arena.capacityBytes();
                arena.reset();
                if (step >= 1) {
                    assertEquals(held, arena.capacityBytes());
                }
            }
        }
    }

    @Test
    void arraysAreAlignedAndKeepTheirType() {
        try (Arena arena = new Arena()) {
            INDArray narrow = arena.allocate(DataType.BFLOAT16, 3, 5);
            INDArray wide = arena.zeros(DataType.FLOAT, 7);
            INDArray cube = arena.allocate(DataType.FLOAT, 2, 3, 4);
            assertEquals(0, Arrays.address(narrow) % 64);
            assertEquals(0, Arrays.address(wide) % 64);
            assertEquals(DataType.BFLOAT16, narrow.dataType());
            assertArrayEquals(new float[7], Arrays.toFloats(wide));
            assertArrayEquals(new long[] {2, 3, 4}, cube.shape());
            Arrays.write(narrow, 0, new float[] {1, -2.5f, 3}, 0, 3);
            assertEquals(-2.5f, narrow.getFloat(0, 1));
            assertEquals('c', narrow.ordering());
        }
    }

    @Test
    void rowsOfAMatrixAreAView() {
        try (Arena arena = new Arena()) {
            for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
                INDArray matrix = arena.zeros(type, 4, 3);
                INDArray rows = arena.rows(matrix, 1, 3);
                Arrays.write(rows, 0, new float[] {1, 2, 3, 4, 5, 6}, 0, 6);
                assertArrayEquals(new float[] {0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0}, Arrays.toFloats(matrix));
                assertSame(rows, arena.rows(matrix, 1, 3));
                long live = arena.liveBytes();
                assertThrows(IllegalArgumentException.class, () -> arena.free(rows));
                assertThrows(IllegalArgumentException.class, () -> arena.rows(matrix, 2, 5));
                assertThrows(IllegalArgumentException.class, () -> arena.rows(matrix, 2, 2));
                assertEquals(live, arena.liveBytes());
                arena.free(matrix);
                assertThrows(IllegalArgumentException.class, () -> arena.rows(matrix, 1, 3));
            }
        }
    }

    @Test
    void misuseIsRefused() {
        Arena arena = new Arena();
        INDArray array = arena.allocate(DataType.FLOAT, 4);
        arena.free(array);
        assertThrows(IllegalArgumentException.class, () -> arena.free(array));
        assertThrows(IllegalArgumentException.class, () -> arena.allocate(DataType.FLOAT, 0, 3));
        assertThrows(ArithmeticException.class, () -> arena.allocate(DataType.FLOAT, Long.MAX_VALUE, 3));
        assertNotSame(array, arena.allocate(DataType.FLOAT, 5));
        assertTrue(arena.peakBytes() >= 16);
        arena.close();
        assertThrows(IllegalStateException.class, () -> arena.allocate(DataType.FLOAT, 4));
    }
}
