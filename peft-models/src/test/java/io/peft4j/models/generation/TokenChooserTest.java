package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Sampling;
import io.peft4j.models.generation.GrowingAnswer.TokenChooser;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TokenChooserTest {
    /** The tokens that are chosen greedily from the same logits each time. */
    private static List<Integer> choices(Sampling sampling, int count, float... logits) {
        TokenChooser chooser = new TokenChooser(sampling, 0, new int[] {3}, Set.of(), Optional.empty());
        List<Integer> chosen = new ArrayList<>();
        try (INDArray row = Arrays.of(logits, 1, logits.length)) {
            for (int i = 0; i < count; i++) {
                chosen.add(chooser.choose(new Logits(row, 0, new Logits.Scratch())));
            }
        }
        return chosen;
    }

    @Test
    void presenceCountsOnceAndFrequencyEachTime() {
        assertEquals(List.of(0, 1, 0, 0), choices(Sampling.greedy().withPenalties(1.5, 0), 4, 2, 1, 0, -1));
        // 2, 1.25 (then 1 is ahead), 1 once: 0.25; 0 twice: 0.5, thrice: -0.25.
        assertEquals(List.of(0, 0, 1, 0, 1, 2), choices(Sampling.greedy().withPenalties(0, 0.75), 6, 2, 1, 0, -1));
        assertEquals(List.of(0, 0, 0), choices(Sampling.greedy().withPenalties(-1, -1), 3, 2, 1, 0, -1));
    }

    @Test
    void repetitionCountsThePromptAndBringsNegativeLogitsDown() {
        assertEquals(List.of(0, 1, 2), choices(Sampling.greedy().withRepetitionPenalty(3), 3, 3, 2.5f, 2, 4));
        assertEquals(List.of(0, 1), choices(Sampling.greedy().withRepetitionPenalty(2), 2, -1, -1.5f, -9, -1));
    }

    @Test
    void biasIsAddedBeforePenalties() {
        assertEquals(List.of(1, 1), choices(Sampling.greedy().withLogitBias(Map.of(1, 1.5)), 2, 2, 1, 0, -1));
        assertEquals(List.of(2, 1), choices(Sampling.greedy().withLogitBias(Map.of(2, 3.0, 0, -100.0))
                .withRepetitionPenalty(4), 2, 2, 1, 0, -1));
        assertThrows(ConfigurationException.class, () -> choices(Sampling.greedy().withLogitBias(Map.of(4, 1.0)), 1, 2,
                1, 0, -1));
    }

    @Test
    void drawsArePunishedToo() {
        List<Integer> drawn = choices(Sampling.of(0.01, 3).withPenalties(2, 0), 4, 3, 2.5f, 2, 1.5f);
        assertTrue(drawn.containsAll(List.of(0, 1, 2, 3)), drawn.toString());
    }
}
