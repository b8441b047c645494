package io.peft4j.train.objective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.task.DecisionSource;
import io.peft4j.data.task.LabelledText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Losses of uncertain answers, as torch 2.15.0 computes them with {@code cross_entropy} and autograd. */
class SoftLabelsTest {
    private static final double[] LOGITS = {0.3, -1.2, 2.0, 0.1};
    private static final double[] GOLD = {0.1, 0.2, 0.3, 0.4};

    @Test
    void lossesAndGradientsAreThoseOfPyTorch() {
        assertLoss(0, 0, 1.8870085762969595, 0.03305288791638125, -0.17031188781100678, 0.42832450877164646,
                -0.2910655088770209);
        assertLoss(0.1, 0, 1.9000085762969596, 0.01805288791638127, -0.1753118878110068, 0.4333245087716466,
                -0.2760655088770209);
        assertLoss(0.1, 0.5, 2.065562844396935, 0.04037637707759051, -0.17428925905792686, 0.40985721228556893,
                -0.2759443303052324);
    }

    private static void assertLoss(double smoothing, double ordinal, double loss, double... gradient) {
        double[] own = new double[4];
        DecisionOptions options = new DecisionOptions("", Map.of(), smoothing, ordinal, false, true);
        assertEquals(loss, options.loss(DecisionQuestion.Kind.SCORE, LOGITS, GOLD, own), 1e-12);
        assertArrayEquals(gradient, own, 1e-12);
    }

    @Test
    void distancesCountForScoresAlone() {
        DecisionOptions options = new DecisionOptions("", Map.of(), 0, 0.5, false, true);
        assertEquals(1.8870085762969595, options.loss(DecisionQuestion.Kind.CHOICE, LOGITS, GOLD, new double[4]),
                1e-12);
    }

    @Test
    void weightsOfQuestionsAreReadFromTheirNames() {
        assertEquals(Map.of("a", 2.0, "b=c", 0.5), DecisionOptions.weights("a=2, b=c=0.5"));
        assertThrows(ConfigurationException.class, () -> DecisionOptions.weights("a"));
        assertThrows(ConfigurationException.class, () -> new DecisionOptions("", Map.of("a", -1.0), 0, 0, false, true));
    }

    @Test
    void labelsOfRowsBecomeOneQuestion() {
        List<LabelledText> rows = List.of(LabelledText.of("x", "login"), LabelledText.of("y", "billing"),
                new LabelledText("z", Optional.empty(), List.of("login", "billing"), List.of(0.25, 0.75)));
        DecisionQuestion question = DecisionSource.TEXTS.question(rows, "Which?").orElseThrow();
        assertEquals(List.of("billing", "login"), question.names());
        assertEquals(List.of(0.75, 0.25), DecisionSource.TEXTS.row(rows.get(2), Optional.of(question)).gold()
                .get("label"));
        String message = assertThrows(ConfigurationException.class, () -> DecisionSource.TEXTS.row(
                LabelledText.of("x", "other"), Optional.of(question))).getMessage();
        assertTrue(message.contains("unknown option 'other'"), message);
    }

    @Test
    void answersInWordsAreNoLabels() {
        List<LabelledText> rows = java.util.stream.IntStream.range(0, 40)
                .mapToObj(i -> LabelledText.of("x", "answer " + i)).toList();
        String message = assertThrows(ConfigurationException.class, () -> DecisionSource.TEXTS.question(rows, "Which?"))
                .getMessage();
        assertTrue(message.startsWith("40 examples have 40 different answers"), message);
    }
}
