package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionCalibration.Entry;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class NextLabelsTest {
    private static final DecisionQuestion QUESTION = DecisionQuestion.choice("Which?", List.of("a", "b"));
    private static final DecisionCalibration FITTED = new DecisionCalibration(List.of(new Entry("choice", "Which?",
            List.of("a", "b"), "none", "", 99, List.of(1.0, 1.0), List.of(0.0, 0.0), List.of(), List.of(),
            List.of(new DecisionCalibration.Threshold(0.1, 0.8, 0.5, 0.4, 0.6)), List.of())));

    private static List<DecisionResult> saying(double... certain) {
        return java.util.Arrays.stream(certain).mapToObj(p -> new DecisionResult(Map.of("q", new DecisionAnswer(
                QUESTION, List.of(p, 1 - p), false)), 1)).toList();
    }

    private static List<Integer> rows(List<DecisionResult> results, List<String> texts, List<String> labelled,
            OptionalDouble error, int count) {
        return NextLabels.of(results, texts, labelled, FITTED, error, count).stream().map(NextLabels::row).toList();
    }

    @Test
    void theNearestToTheThresholdComeFirst() {
        List<DecisionResult> results = saying(0.99, 0.52, 0.79, 0.95, 0.9, 0.97);
        List<String> one = List.of("a", "b", "c", "d", "e", "f");
        assertEquals(List.of(2), rows(results, one, List.of(), OptionalDouble.of(0.1), 1));
        assertEquals(List.of(1), rows(results, one, List.of(), OptionalDouble.empty(), 1));
        assertEquals(List.of(1), rows(results, one, List.of(), OptionalDouble.of(0.03), 1), "no such threshold");
        NextLabels first = NextLabels.of(results, one, List.of(), FITTED, OptionalDouble.of(0.1), 1).get(0);
        assertEquals("q", first.question());
        assertEquals(0.01, first.distance(), 1e-12);
    }

    @Test
    void rowsLikeThoseThatAreChosenOrLabelledComeLast() {
        List<DecisionResult> results = saying(0.8, 0.81, 0.82, 0.83, 0.5);
        List<String> texts = List.of("card charged twice", "card charged twice again", "cannot log in",
                "where is my parcel", "parcel is late");
        assertEquals(List.of(0, 2), rows(results, texts, List.of(), OptionalDouble.of(0.1), 2));
        assertEquals(List.of(0, 3), rows(results, texts, List.of("I cannot log in"), OptionalDouble.of(0.1), 2));
        assertEquals(5, rows(results, texts, List.of(), OptionalDouble.of(0.1), 9).size());
    }

    @Test
    void farRowsAreNotChosenHoweverUnlikeTheyAre() {
        List<DecisionResult> results = saying(Stream.concat(Stream.generate(() -> 0.8).limit(8), Stream.of(1.0))
                .mapToDouble(p -> p).toArray());
        List<String> texts = Stream.concat(Stream.generate(() -> "the same text").limit(8), Stream.of("unlike"))
                .toList();
        assertEquals(List.of(0, 1), rows(results, texts, List.of(), OptionalDouble.of(0.1), 2));
        assertThrows(ConfigurationException.class, () -> rows(results, texts, List.of(), OptionalDouble.empty(), 0));
    }
}
