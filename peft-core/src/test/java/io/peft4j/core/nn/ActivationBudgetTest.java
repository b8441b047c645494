package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.ActivationBudget.Keeps;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ActivationBudgetTest {
    private static final int BLOCKS = 30;
    private static final int INPUT_BYTES = 10;

    /** What the blocks of a pass keep, and how much in all. */
    private static long run(long most, int all, int narrow, Map<Keeps, Integer> counts) {
        ActivationBudget memory = new ActivationBudget(most);
        long bytes = 1;
        for (int i = 0; i < BLOCKS; i++) {
            Keeps keeps = memory.next(bytes, BLOCKS - 1 - i);
            long own = keeps == Keeps.ALL ? all : keeps == Keeps.NARROW ? narrow : INPUT_BYTES;
            memory.note(keeps, own);
            bytes += own;
            counts.merge(keeps, 1, Integer::sum);
        }
        return bytes;
    }

    @Test
    void everythingIsKeptIfItFits() {
        Map<Keeps, Integer> counts = new EnumMap<>(Keeps.class);
        run(3001, 100, 40, counts);
        assertEquals(Map.of(Keeps.ALL, BLOCKS), counts);
    }

    @Test
    void someBlocksDropWideProductsAndNoneRunsAgain() {
        Map<Keeps, Integer> counts = new EnumMap<>(Keeps.class);
        long bytes = run(2000, 100, 40, counts);
        assertEquals(Map.of(Keeps.ALL, 13, Keeps.NARROW, 17), counts);
        assertEquals(1 + 13 * 100 + 17 * 40, bytes);
    }

    @Test
    void ifThatIsNotEnoughTheLastBlocksRunAgain() {
        Map<Keeps, Integer> counts = new EnumMap<>(Keeps.class);
        long bytes = run(800, 100, 40, counts);
        assertEquals(Map.of(Keeps.ALL, 1, Keeps.NARROW, 18, Keeps.INPUT, 11), counts);
        assertTrue(bytes <= 800 + 100 + 11 * INPUT_BYTES, "kept " + bytes);
    }

    @Test
    void withoutRoomEachRunsAgain() {
        Map<Keeps, Integer> counts = new EnumMap<>(Keeps.class);
        run(0, 100, 40, counts);
        assertEquals(Map.of(Keeps.INPUT, BLOCKS), counts);
    }
}
