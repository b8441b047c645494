package io.peft4j.eval.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.eval.statistics.Bootstrap.SignFlips;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The interval of sign flips is the inversion of SciPy's permutation test, and mends what BCa alone gets wrong. */
class SignFlipsTest {
    private static final int RUNS = 2000;

    @Test
    void intervalsAreTheInverseOfSciPysTest() throws IOException {
        JsonNode samples = new ObjectMapper().readTree(
                Path.of("src/test/resources/fixtures/statistics/flips.json").toFile()).get("samples");
        assertEquals(18, samples.size());
        for (JsonNode sample : samples) {
            double[] differences = IntStream.range(0, sample.get("differences").size())
                    .mapToDouble(i -> sample.get("differences").get(i).asDouble()).toArray();
            Interval interval = SignFlips.interval(differences, 0.95, 40_000, 3);
            double low = sample.get("interval").get(0).asDouble();
            double high = sample.get("interval").get(1).asDouble();
            // All subsets: the halving's own error. Draws: 20,000 there and 40,000 here, an end's standard error is
            // 0.5 % of the width.
            double tolerance = sample.get("exact").asBoolean() ? 1e-9 : 0.02 * (high - low);
            assertEquals(low, interval.low(), tolerance, sample.toString());
            assertEquals(high, interval.high(), tolerance, sample.toString());
        }
    }

    @Test
    void fewerThanSixDifferencesCannotReject() {
        Interval five = SignFlips.interval(new double[] {0.1, 0.2, 0.3, 0.4, 0.5}, 0.95, 100, 0);
        assertEquals(Double.NEGATIVE_INFINITY, five.low());
        assertEquals(Double.POSITIVE_INFINITY, five.high());
        Interval six = SignFlips.interval(new double[] {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 0.95, 100, 0);
        assertEquals(0.1, six.low(), 1e-15);
        assertEquals(0.6, six.high(), 1e-15);
    }

    /** Most scores change a little, one in ten a lot: BCa alone holds 0 in 82 to 88 % of all cases. */
    @Test
    void fewLargeDifferencesAmongSmallOnesLeaveTheLevelAsItIs() {
        SplittableRandom random = new SplittableRandom(4);
        for (int n : new int[] {10, 20, 50}) {
            int held = 0;
            for (int run = 0; run < RUNS; run++) {
                double[] differences = IntStream.range(0, n).mapToDouble(i -> change(random)).toArray();
                held += new Bootstrap(0.95, 500, run, true).ofDifferences(differences).contains(0) ? 1 : 0;
            }
            double coverage = (double) held / RUNS;
            // The standard error of a share of 2,000 is 0.5 %.
            assertTrue(coverage >= 0.93 && coverage <= 0.97, "coverage with " + n + " items: " + coverage);
        }
    }

    private static double change(SplittableRandom random) {
        double kind = random.nextDouble();
        double size = random.nextDouble() - 0.5;
        return kind < 0.6 ? 0.2 * size : kind < 0.7 ? Math.copySign(0.5, size) + size : 0;
    }
}
