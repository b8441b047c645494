package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.array.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Tokens go to the experts of their highest scores. */
class RoutingTest {
    @Test
    void theHighestScoresAreChosenBestFirst() {
        try (INDArray scores = Arrays.of(new float[] {1, 5, 3, 4, -2, -1, -3, -4, 7, 7, 7, 7}, 3, 4)) {
            Routing routing = Routing.highest(scores, 2);
            assertArrayEquals(new int[] {1, 3, 1, 0, 0, 1}, routing.chosen());
            assertArrayEquals(new int[] {1, 3, 5, 4, 8, 9}, routing.scoreIndices());
            assertArrayEquals(new int[] {0, 2, 5}, routing.places(1));
            assertArrayEquals(new int[] {0, 1, 2}, routing.tokens(1));
            assertArrayEquals(new int[0], routing.places(2));
            assertEquals(List.of(0, 1, 3), routing.busyExperts());
            assertEquals(2, routing.perToken());
        }
    }

    @Test
    void moreExpertsThanThereAreCannotBeChosen() {
        try (INDArray scores = Arrays.of(new float[] {1, 2}, 1, 2)) {
            assertThrows(IllegalArgumentException.class, () -> Routing.highest(scores, 3));
            assertThrows(IllegalArgumentException.class, () -> Routing.highest(scores, 0));
            assertArrayEquals(new int[] {1, 0}, Routing.highest(scores, 2).chosen());
        }
    }
}
