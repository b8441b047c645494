package io.peft4j.eval.head.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.decision.Judged;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class DecisionMeasuresTest {
    private static double[] numbers(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    @Test
    void measuresAreThoseOfNumpy() throws IOException {
        JsonNode expected = new ObjectMapper().readTree(DecisionMeasuresTest.class.getResource(
                "/fixtures/decisions/calibration.json"));
        List<Judged> rows = IntStream.range(0, expected.get("logits").size()).mapToObj(i -> new Judged(i, "q",
                TextNode.valueOf(""), DecisionQuestion.choice("Which?", List.of("a", "b", "c")),
                numbers(expected.get("logits").get(i)), numbers(expected.get("gold").get(i)))).toList();
        double[][] said = rows.stream().map(row -> DecisionCalibration.softmax(Arrays.stream(row.logits())
                .map(z -> z / expected.get("temperature").asDouble()).toArray())).toArray(double[][]::new);
        DecisionMeasures measures = new DecisionMeasures(rows, said);
        PairedMeasures paired = new PairedMeasures(ComparisonOptions.defaults());
        measures.add(paired, measures);
        for (String name : List.of("nll", "brier", "signed_gap", "ece", "ece_equal_mass", "aurc")) {
            assertEquals(expected.get(name).asDouble(), paired.tuned().get(name).value(), 1e-9, name);
        }
        assertEquals(1.0, measures.coverage("").x().get(rows.size() - 1));
        assertEquals(15, measures.reliability("").y().size());
    }
}
