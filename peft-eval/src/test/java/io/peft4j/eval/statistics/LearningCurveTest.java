package io.peft4j.eval.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** A power law is found again, and its uncertainty is not hidden. */
class LearningCurveTest {
    /** Both sides compute in doubles; quantiles of Student's distribution are good to about 1e-10. */
    private static final double EXACT = 1e-9;

    @Test
    void fitAndPredictionIntervalsMatchStatsmodels() throws IOException {
        JsonNode curves = new ObjectMapper()
                .readTree(Path.of("src/test/resources/fixtures/statistics/curves.json").toFile()).get("curves");
        assertEquals(6, curves.size());
        for (JsonNode expected : curves) {
            LearningCurve curve = LearningCurve.fit(doubles(expected.get("sizes")), doubles(expected.get("scores")));
            assertEquals(expected.get("exponent").asDouble(), curve.exponent(), EXACT);
            for (JsonNode point : expected.get("points")) {
                LearningCurve.Prediction prediction = curve.at(point.get("size").asDouble(), 0.95);
                assertEquals(point.get("score").asDouble(), prediction.score(), EXACT, expected.toString());
                assertEquals(point.get("low").asDouble(), prediction.interval().low(), EXACT, expected.toString());
                assertEquals(point.get("high").asDouble(), prediction.interval().high(), EXACT, expected.toString());
            }
        }
    }

    private static double[] doubles(JsonNode values) {
        return StreamSupport.stream(values.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    @Test
    void aPowerLawIsRecovered() {
        double[] sizes = {20, 40, 80, 160};
        double[] scores = Arrays.stream(sizes).map(n -> 1 - 2 * Math.pow(n, -0.5)).toArray();
        LearningCurve curve = LearningCurve.fit(sizes, scores);
        assertEquals(0.5, curve.exponent(), 1e-9);
        LearningCurve.Prediction next = curve.at(260, 0.95);
        assertEquals(1 - 2 * Math.pow(260, -0.5), next.score(), 1e-9);
        assertEquals(0, next.interval().high() - next.interval().low(), 1e-6);
    }

    @Test
    void noiseMakesTheIntervalWide() {
        LearningCurve curve = LearningCurve.fit(new double[] {50, 100, 200}, new double[] {0.4, 0.62, 0.66});
        LearningCurve.Prediction next = curve.at(300, 0.95);
        assertTrue(next.interval().contains(next.score()));
        assertTrue(next.interval().high() - next.interval().low() > 0.3, next.toString());
        assertTrue(next.score() > 0.66);
    }

    @Test
    void invalidPointsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> LearningCurve.fit(new double[2], new double[2]));
        assertThrows(IllegalArgumentException.class,
                () -> LearningCurve.fit(new double[] {5, 5, 5}, new double[] {0.1, 0.2, 0.3}));
        assertThrows(IllegalArgumentException.class,
                () -> LearningCurve.fit(new double[] {5, 6, 7}, new double[] {0.1, 0.2, Double.NaN}));
    }
}
