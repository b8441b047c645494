package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.train.plan.LearningRateRange;
import io.peft4j.train.plan.LearningRateRange.Point;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Where a range test looks, and that it leaves no trace. */
class LearningRateRangeTestTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);

    /** Points at 100 learning rates from 1e-6 to 1 of a given loss at each power of 10. */
    private static List<Point> points(DoubleUnaryOperator loss) {
        return IntStream.range(0, 100).mapToObj(i -> {
            double power = -6 + 6.0 * i / 99;
            double value = loss.applyAsDouble(power);
            return new Point(Math.pow(10, power), value, value);
        }).toList();
    }

    @Test
    void theSuggestionIsWhereTheLossFallsFastest() {
        // Falls around 1e-3, lowest at 1e-1.
        LearningRateRange range = LearningRateRange.of(points(p -> 3 - 2 / (1 + Math.exp(-8 * (p + 3)))
                + Math.max(0, p + 1)), true);
        assertEquals(-3, Math.log10(range.suggestion().getAsDouble()), 0.3);
        assertEquals(-1, Math.log10(range.lowestAt()), 0.5);
        assertEquals(1, range.divergedAt().getAsDouble(), 1e-9);
        assertTrue(range.reason().contains("falls fastest"), range.reason());
        assertTrue(range.html().contains("Learning rate"), range.html());
    }

    @Test
    void theSuggestionKeepsAwayFromTheLowestLoss() {
        // Falls faster and faster until it is lowest at 1e-2.
        LearningRateRange range = LearningRateRange.of(points(p -> p < -2 ? 3 - Math.exp(p + 2) : 4), true);
        assertTrue(range.suggestion().getAsDouble() <= range.lowestAt() / 2.9);
    }

    @Test
    void aLossThatNeverFallsGivesNoSuggestion() {
        LearningRateRange range = LearningRateRange.of(points(p -> 3 + (p > -2 ? p + 2 : 0)), false);
        assertTrue(range.suggestion().isEmpty());
        assertTrue(range.reason().contains("never fell"), range.reason());
        assertTrue(range.html().contains("No suggestion"));
    }

    @Test
    void aTestRaisesTheRateByEqualFactorsAndLeavesTheAdapterAsItWas() {
        try (Tiny tiny = new Tiny()) {
            float[] before = tiny.values();
            LearningRateRange range = new LearningRateRangeTest(tiny.model).between(1e-4, 1).steps(40)
                    .run(tiny.trainer().batchSize(6), trainer -> trainer.build().train(EXAMPLES));
            assertArrayEquals(before, tiny.values());
            assertEquals(1e-4, range.points().get(0).learningRate(), 1e-12);
            double factor = range.points().get(1).learningRate() / range.points().get(0).learningRate();
            assertEquals(Math.pow(1e4, 1.0 / 39), factor, 1e-9);
            assertTrue(range.suggestion().isPresent(), range.reason());
            assertTrue(range.suggestion().getAsDouble() > 1e-4 && range.suggestion().getAsDouble() < 1);
        }
    }

    @Test
    void nonsenseIsRefused() {
        try (Tiny tiny = new Tiny()) {
            LearningRateRangeTest test = new LearningRateRangeTest(tiny.model);
            assertThrows(ConfigurationException.class, () -> test.between(0.1, 0.01));
            assertThrows(ConfigurationException.class, () -> test.between(0.1, 2));
            assertThrows(ConfigurationException.class, () -> test.steps(3));
        }
    }
}
