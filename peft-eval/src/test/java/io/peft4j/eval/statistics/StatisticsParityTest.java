package io.peft4j.eval.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Intervals and tests equal SciPy's and statsmodels', on fixtures that {@code make_statistics.py} wrote. */
class StatisticsParityTest {
    /** Sums of some hundred doubles, or a distribution function by another series. */
    private static final double EXACT = 1e-9;
    private static JsonNode fixtures;

    @BeforeAll
    static void read() throws IOException {
        fixtures = new ObjectMapper().readTree(
                Path.of("src/test/resources/fixtures/statistics/statistics.json").toFile());
        assertEquals(15, fixtures.get("samples").size());
    }

    private static double[] doubles(JsonNode list) {
        return IntStream.range(0, list.size()).mapToDouble(i -> list.get(i).asDouble()).toArray();
    }

    @Test
    void bcaIntervalsMatchSciPy() {
        Bootstrap bootstrap = new Bootstrap(0.95, 20_000, 11, false);
        for (JsonNode sample : fixtures.get("samples")) {
            Interval interval = bootstrap.of(Resampled.mean(doubles(sample.get("differences"))));
            double[] expected = doubles(sample.get("bca"));
            // With 20,000 draws here an end's standard error is 0.5 % of the width, for the far ends of skewed samples,
            // which BCa moves outwards, up to three times that. Ends of yes/no samples are multiples of 1/n.
            double width = expected[1] - expected[0];
            double tolerance = Math.max(0.04 * width, 1.0 / sample.get("differences").size() / 100);
            assertEquals(expected[0], interval.low(), tolerance, sample.toString());
            assertEquals(expected[1], interval.high(), tolerance, sample.toString());
        }
    }

    @Test
    void wilcoxonMatchesSciPy() {
        for (JsonNode sample : fixtures.get("samples")) {
            assertEquals(sample.get("wilcoxon").asDouble(), PairedTests.wilcoxon(doubles(sample.get("differences"))),
                    EXACT, sample.toString());
        }
    }

    @Test
    void permutationMatchesSciPy() {
        for (JsonNode sample : fixtures.get("samples")) {
            double expected = sample.get("permutation").asDouble();
            double p = PairedTests.permutation(doubles(sample.get("differences")), 40_000, 5);
            // 40,000 draws here, 200,000 there: four standard errors of the difference of two shares.
            double error = 4 * Math.sqrt(1.2 * expected * (1 - expected) / 40_000) + 5e-5;
            assertEquals(expected, p, sample.get("permutation_exact").asBoolean() ? EXACT : error, sample.toString());
        }
    }

    @Test
    void mcNemarMatchesStatsmodels() {
        for (JsonNode row : fixtures.get("mcnemar")) {
            assertEquals(row.get(2).asDouble(), PairedTests.mcNemar(row.get(0).asInt(), row.get(1).asInt()),
                    EXACT, row.toString());
        }
    }

    @Test
    void holmMatchesStatsmodels() {
        for (JsonNode row : fixtures.get("holm")) {
            double[] adjusted = Holm.adjust(doubles(row.get("p")));
            double[] expected = doubles(row.get("adjusted"));
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], adjusted[i], EXACT, row.toString());
            }
        }
        assertThrows(IllegalArgumentException.class, () -> Holm.adjust(new double[] {0.1, Double.NaN}));
    }

    @Test
    void sampleSizesMatchStatsmodels() {
        for (JsonNode row : fixtures.get("power")) {
            int items = Power.defaults().itemsNeeded(1, row.get(0).asDouble());
            // statsmodels takes the noncentral t distribution, here the sum of two quantiles: at most 1 item and 0.1 %.
            assertEquals(row.get(1).asDouble(), items, 1 + 0.001 * items, row.toString());
            assertTrue(Power.defaults().detectable(1, items) <= row.get(0).asDouble());
            assertTrue(Power.defaults().detectable(1, items - 1) > row.get(0).asDouble());
        }
    }

    @Test
    void spreadHasStudentsInterval() {
        for (JsonNode sample : fixtures.get("samples")) {
            Interval interval = Spread.of(doubles(sample.get("differences"))).interval(0.95);
            assertEquals(sample.get("student").get(0).asDouble(), interval.low(), EXACT);
            assertEquals(sample.get("student").get(1).asDouble(), interval.high(), EXACT);
        }
        Spread seeds = Spread.of(0.8, 0.7, 0.9);
        assertEquals(0.8, seeds.mean(), EXACT);
        assertEquals(0.1, seeds.standardDeviation(), EXACT);
        assertEquals(8, seeds.effectSize(), EXACT);
    }

    @Test
    void fewDifferencesGiveNoFalseCertainty() {
        Interval same = Bootstrap.defaults().ofDifferences(new double[10]);
        // Bonett and Price 2012: 1.96 sqrt((1/12 + 1/12) / 12).
        assertEquals(1.959963985 * Math.sqrt(2.0 / 12 / 12), same.high(), 1e-8);
        assertEquals(-same.high(), same.low(), EXACT);
        double[] allBetter = IntStream.range(0, 20).mapToDouble(i -> 1).toArray();
        Interval better = Bootstrap.defaults().ofDifferences(allBetter);
        assertTrue(better.low() > 0.6 && better.low() < 0.9 && better.high() == 1, better.toString());
    }
}
