package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.report.TaskArm.Score;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class DecisionMeasuresTest {
    /** Of ends of an interval some 0.1 wide that both sides draw 20,000 times: 4 standard errors. */
    private static final double DRAWN = 3e-3;

    private static double[] numbers(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    private final JsonNode expected;
    private final List<Prediction> rows;
    private final DecisionMeasures measures;

    DecisionMeasuresTest() throws IOException {
        expected = new ObjectMapper().readTree(DecisionMeasuresTest.class.getResource(
                "/fixtures/decisions/calibration.json"));
        rows = IntStream.range(0, expected.get("logits").size()).mapToObj(i -> new Prediction(i, "q",
                TextNode.valueOf(""), DecisionQuestion.choice("Which?", List.of("a", "b", "c")),
                numbers(expected.get("logits").get(i)), numbers(expected.get("gold").get(i)))).toList();
        double[][] said = rows.stream().map(row -> DecisionCalibration.softmax(Arrays.stream(row.logits())
                .map(z -> z / expected.get("temperature").asDouble()).toArray())).toArray(double[][]::new);
        measures = new DecisionMeasures(rows, said);
    }

    @Test
    void measuresAreThoseOfNumpy() {
        PairedMeasures paired = new PairedMeasures(ComparisonOptions.defaults());
        measures.add(paired, measures);
        for (String name : List.of("nll", "brier", "signed_gap", "ece", "ece_equal_mass", "aurc")) {
            assertEquals(expected.get(name).asDouble(), paired.tuned().get(name).value(), 1e-9, name);
        }
        assertEquals(1.0, measures.coverage("").x().get(rows.size() - 1));
        assertEquals(15, measures.reliability("").y().size());
    }

    @Test
    void theIntervalOfACalibrationErrorHoldsIt() {
        PairedMeasures paired = new PairedMeasures(ComparisonOptions.defaults());
        double[][] sure = rows.stream().map(row -> DecisionCalibration.softmax(row.logits())).toArray(double[][]::new);
        new DecisionMeasures(rows, sure).add(paired, measures);
        for (String name : List.of("ece", "ece_equal_mass")) {
            Score error = paired.base().get(name);
            Interval interval = error.interval().orElseThrow();
            assertTrue(interval.low() <= error.value() && error.value() <= interval.high(), name + " " + error);
        }
        Interval mass = paired.base().get("ece_equal_mass").interval().orElseThrow();
        assertTrue(mass.low() > 0, "too sure without a temperature: " + mass);
        assertEquals(0, paired.tuned().get("ece_equal_mass").interval().orElseThrow().low(),
                "chance makes such an error");
    }

    @Test
    void basicIntervalsAreThoseOfScipy() {
        Interval basic = new Bootstrap(0.95, 20_000, 0, false).basic(measures.error(DecisionMeasures::equalMass));
        assertArrayEquals(numbers(expected.get("ece_equal_mass_basic")), new double[] {basic.low(), basic.high()},
                DRAWN);
        double[] exact = Arrays.stream(measures.ofExact(DecisionMeasures::equalMass)).sorted().toArray();
        assertEquals(expected.get("ece_equal_mass_exact").asDouble(), exact[950], 3 * DRAWN);
    }
}
