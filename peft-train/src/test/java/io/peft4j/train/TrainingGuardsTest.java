package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

class TrainingGuardsTest {
    private static List<String> warnings(int steps, IntToDoubleFunction loss, double norm) {
        List<String> warnings = new ArrayList<>();
        TrainingGuards guards = new TrainingGuards(warnings::add);
        for (int i = 1; i <= steps; i++) {
            guards.onStep(new StepMetrics(i, i, loss.applyAsDouble(i), 1e-3, norm, 10, 5, 0.1, 1));
        }
        return warnings;
    }

    private static void assertOnly(String part, List<String> warnings) {
        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains(part), warnings.get(0));
    }

    @Test
    void anOrdinaryTrainingIsQuiet() {
        assertEquals(List.of(), warnings(500, i -> 2 * Math.exp(-i / 100.0) + 0.1 * Math.sin(i), 1));
    }

    @Test
    void aGradientOfZeroIsTold() {
        assertOnly("update 1: all gradients are 0", warnings(5, i -> 1, 0));
    }

    @Test
    void aJumpOfTheLossIsTold() {
        assertOnly("update 50: the loss jumped to 9.0000 from about 1.9", warnings(60, i -> i == 50 ? 9 : 2 - i * 1e-3,
                1));
    }

    @Test
    void aLossThatDoesNotMoveIsTold() {
        assertOnly("update 100: the loss has not moved from 3.000", warnings(150, i -> 3 + 1e-4 * (i % 2), 1));
    }

    @Test
    void aLossThatRisesIsTold() {
        assertOnly("began at about", warnings(150, i -> 1 + i * 0.01, 1));
    }
}
