package io.peft4j.eval.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SequentialMeanTest {
    private static final int COUNT = 150;
    private static final int RUNS = 20_000;

    /** Differences of which these shares are 1 and -1; the last one makes their mean the bound as nearly as can be. */
    private static double[] differences(double better, double worse) {
        return IntStream.range(0, COUNT)
                .mapToDouble(i -> i < better * COUNT ? 1 : i < (better + worse) * COUNT ? -1 : 0)
                .toArray();
    }

    private static int[] stops(double[] values, double bound, long seed) {
        List<Double> order = Arrays.asList(DoubleStream.of(values).boxed().toArray(Double[]::new));
        Collections.shuffle(order, new Random(seed));
        SequentialMean mean = new SequentialMean(values.length, -1, 1, bound, 0.05);
        int above = Integer.MAX_VALUE;
        int below = Integer.MAX_VALUE;
        for (int i = 0; i < values.length; i++) {
            mean.add(order.get(i));
            above = mean.isAbove() ? Math.min(above, i + 1) : above;
            below = mean.isBelow() ? Math.min(below, i + 1) : below;
        }
        return new int[] {above, below};
    }

    /**
     * At the bound itself each answer is wrong, at whatever item one stops: at most alpha of 20,000 orders give one,
     * and three standard errors of that share.
     */
    @ParameterizedTest
    @CsvSource({"0, 0.04", "0.02, 0.06", "0.1, 0.14", "0.3, 0.34", "0.02, 0.3", "0.5, 0.3"})
    void wrongAnswersAtAnyTimeAreAtMostAlpha(double better, double worse) {
        double[] values = differences(better, worse);
        double bound = DoubleStream.of(values).average().orElseThrow();
        SplittableRandom random = new SplittableRandom(1);
        int wrong = 0;
        for (int run = 0; run < RUNS; run++) {
            int[] stops = stops(values, bound, random.nextLong());
            wrong += stops[0] <= COUNT || stops[1] <= COUNT ? 1 : 0;
        }
        assertTrue(wrong <= 0.05 * RUNS + 3 * Math.sqrt(0.05 * 0.95 * RUNS), wrong + " of " + RUNS);
    }

    /** What the whole set has is found with all of it at the latest, whatever the order. */
    @ParameterizedTest
    @CsvSource({"0.15, 0.07", "0.1, 0.1", "0.02, 0.3", "0.0, 0.1", "0.1, 0.16"})
    void allValuesDecideForCertain(double better, double worse) {
        double[] values = differences(better, worse);
        boolean above = DoubleStream.of(values).average().orElseThrow() > -0.05;
        for (int seed = 0; seed < 200; seed++) {
            int[] stops = stops(values, -0.05, seed);
            assertTrue(stops[above ? 0 : 1] <= COUNT, "seed " + seed);
        }
    }

    /** A gain ends long before the last value, harm too. */
    @Test
    void clearDifferencesEndEarly() {
        int[] gain = IntStream.range(0, 200).map(seed -> stops(differences(0.2, 0.04), -0.05, seed)[0]).sorted()
                .toArray();
        int[] harm = IntStream.range(0, 200).map(seed -> stops(differences(0, 0.4), -0.05, seed)[1]).sorted().toArray();
        assertTrue(gain[100] <= COUNT / 2, "median " + gain[100]);
        assertTrue(harm[100] <= COUNT / 3, "median " + harm[100]);
    }

    @Test
    void impossibleBoundsAreErrors() {
        assertEquals("a mean of 3 values from 0.0 to 1.0 cannot be held against 2.0 at alpha 0.05",
                assertThrows(IllegalArgumentException.class, () -> new SequentialMean(3, 0, 1, 2, 0.05)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> new SequentialMean(0, 0, 1, 0.5, 0.05));
    }
}
