package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Memory of keys, values and states that is refused at any point. */
class KvCacheTest {
    private static final int ROWS = 4;
    private static final int COLUMNS = 3;
    private static final LayerMemory.State STATE = new LayerMemory.State(List.of(new LayerMemory.State.Part(2, 3),
            new LayerMemory.State.Part(1, 5)));

    /** The keys and values of two layers, and of two passes beside, of which each has one. */
    private static KvCache cache() {
        KvCache cache = new KvCache(2, ROWS, COLUMNS, DataType.FLOAT);
        cache.beside("left", 1);
        cache.beside("right", 1);
        return cache;
    }

    private static void store(KvCache cache, int layer, int row) {
        try (INDArray values = Arrays.of(new float[] {layer, row, 1}, 1, COLUMNS)) {
            cache.store(layer, values, values, new int[] {row});
        }
    }

    private static void assertStored(KvCache cache, int layer, int row) {
        float[] expected = {layer, row, 1};
        for (INDArray all : List.of(cache.keys(layer), cache.values(layer))) {
            assertArrayEquals(expected, Arrays.toFloats(Arrays.rowRange(all, row, row + 1)));
        }
    }

    @Test
    void aCacheThatCannotGrowIsAsBefore() {
        long blocks = NativeMemory.blocks();
        int failed = 0;
        for (boolean refused = true; refused;) {
            try (KvCache cache = cache()) {
                store(cache, 1, ROWS - 1);
                long before = NativeMemory.blocks();
                Faults faults = Faults.at(failed + 1, true, Set.of(Step.NATIVE));
                try (faults) {
                    cache.grow(2 * ROWS);
                } catch (OutOfMemoryError e) {
                    assertEquals(ROWS, cache.rows());
                    assertEquals(before, NativeMemory.blocks());
                    assertThrows(IndexOutOfBoundsException.class, () -> store(cache, 0, ROWS));
                    assertThrows(IndexOutOfBoundsException.class, () -> store(cache, 1, ROWS));
                }
                refused = !faults.failed().isEmpty();
                failed += refused ? 1 : 0;
                // Less than was wanted then, which what has grown meanwhile has room for.
                cache.grow(Math.max(cache.rows(), 2 * ROWS - 1));
                store(cache, 0, 2 * ROWS - 2);
                assertStored(cache, 0, 2 * ROWS - 2);
                assertStored(cache, 1, ROWS - 1);
            }
        }
        assertTrue(failed >= 8, failed + " points");
        assertEquals(blocks, NativeMemory.blocks());
    }

    @Test
    void aStateWhoseMemoryIsRefusedLeavesNothing() {
        long blocks = NativeMemory.blocks();
        for (int point = 1; point <= 2; point++) {
            try (KvCache cache = new KvCache(List.of(STATE), ROWS, DataType.FLOAT);
                    Faults refusing = Faults.at(point, true, Set.of(Step.NATIVE))) {
                assertThrows(OutOfMemoryError.class, () -> cache.roomForState(0, 1));
                assertEquals(blocks, NativeMemory.blocks(), refusing.failed());
                assertEquals(2, cache.roomForState(0, 1).size());
            }
        }
        assertEquals(blocks, NativeMemory.blocks());
    }
}
