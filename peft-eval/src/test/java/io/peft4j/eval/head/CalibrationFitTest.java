package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.TrainedStates;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.head.CalibrationFit.Isotonic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fits against scipy and sklearn, whose numbers {@code make_calibration.py} wrote. */
class CalibrationFitTest {
    /** Of what an optimizer finds: its stopping rule, not rounding. */
    private static final double OPTIMUM = 2e-3;
    private static final DecisionQuestion QUESTION = DecisionQuestion.choice("Which?", List.of("a", "b", "c"));
    private static final JsonNode EXPECTED = expected();

    private static JsonNode expected() {
        try {
            return new ObjectMapper().readTree(CalibrationFitTest.class.getResource(
                    "/fixtures/decisions/calibration.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double[] numbers(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    private static List<Prediction> rows() {
        return IntStream.range(0, EXPECTED.get("logits").size())
                .mapToObj(i -> new Prediction(i, "q", TextNode.valueOf(""),
                        QUESTION, numbers(EXPECTED.get("logits").get(i)), numbers(EXPECTED.get("gold").get(i))))
                .toList();
    }

    @Test
    void rowsThatWereTrainedOnAreRefused() {
        JsonNode state = TextNode.valueOf("I was charged twice");
        List<Prediction> rows = new ArrayList<>(rows());
        rows.set(4, new Prediction(4, "q", state, QUESTION, rows.get(4).logits(), rows.get(4).gold()));
        DecisionSettings settings = DecisionSettings.DEFAULT.withTrained(TrainedStates.NONE.with(List.of(state)));
        String message = assertThrows(ConfigurationException.class, () -> CalibrationFit.of(settings, rows, 0))
                .getMessage();
        assertTrue(message.startsWith("1 row of " + rows.size() + ", the first of them row 5, are among"), message);
        CalibrationFit.of(settings, rows(), 0);
    }

    @Test
    void temperatureBiasesAndWeightsAreThoseOfScipy() {
        double temperature = EXPECTED.get("temperature").asDouble();
        assertEquals(temperature, Scaling.temperature(rows()), OPTIMUM);
        Scaling bias = Scaling.fitted(rows(), temperature, false);
        double[] shared = numbers(EXPECTED.get("bias"));
        assertArrayEquals(Arrays.copyOf(shared, 3), bias.biases(), OPTIMUM);
        assertEquals(shared[3] + 1 / temperature, bias.weights()[2], OPTIMUM);
        Scaling vector = Scaling.fitted(rows(), temperature, true);
        double[] both = numbers(EXPECTED.get("vector"));
        assertArrayEquals(Arrays.copyOf(both, 3), vector.biases(), OPTIMUM);
        assertArrayEquals(IntStream.range(3, 6).mapToDouble(i -> both[i] + 1 / temperature).toArray(),
                vector.weights(), OPTIMUM);
    }

    @Test
    void isotonicStepsAreThoseOfSklearn() {
        Scaling heated = Scaling.ofTemperature(EXPECTED.get("temperature").asDouble(), 3);
        List<double[]> pairs = new ArrayList<>();
        rows().forEach(row -> IntStream.range(0, 3).forEach(i -> pairs.add(new double[] {
            heated.probabilities(row.logits())[i], row.gold()[i]})));
        assertArrayEquals(numbers(EXPECTED.get("isotonic")), Isotonic.of(pairs).to().stream()
                .mapToDouble(Double::doubleValue).distinct().toArray(), 1e-6);
    }

    @Test
    void thresholdsKeepTheUpperBoundOfTheErrorBelowWhatIsWanted() {
        Scaling heated = Scaling.ofTemperature(EXPECTED.get("temperature").asDouble(), 3);
        double[] top = new double[rows().size()];
        boolean[] right = new boolean[top.length];
        for (int i = 0; i < top.length; i++) {
            double[] said = heated.probabilities(rows().get(i).logits());
            top[i] = said[Prediction.best(said)];
            right[i] = Prediction.best(said) == rows().get(i).right();
        }
        DecisionCalibration.Threshold found = CalibrationFit.threshold(0.45, top, right);
        assertEquals(EXPECTED.get("threshold").asDouble(), found.probability(), 1e-9);
        assertEquals(EXPECTED.get("coverage").asDouble(), found.coverage(), 1e-12);
        assertTrue(found.low() < found.coverage() && found.coverage() < found.high());
        assertEquals(0, CalibrationFit.threshold(0.01, top, right).coverage());
    }

    /** Rows whose right answers follow a bias that the model does not know, and a temperature of 2. */
    private static List<Prediction> biased(int count, long seed) {
        Random random = new Random(seed);
        List<Prediction> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double[] logits = {3 * random.nextGaussian(), 3 * random.nextGaussian(), 3 * random.nextGaussian()};
            double[] truth = DecisionCalibration.softmax(logits[0] / 2 + 2, logits[1] / 2, logits[2] / 2 - 2);
            double draw = random.nextDouble();
            int right = draw < truth[0] ? 0 : draw < truth[0] + truth[1] ? 1 : 2;
            double[] gold = new double[3];
            gold[right] = 1;
            rows.add(new Prediction(i, "q", TextNode.valueOf(""), QUESTION, logits, gold));
        }
        return rows;
    }

    @Test
    void aBiasIsFoundAndMakesProbabilitiesTrueOnRowsNeverSeen(@TempDir Path folder) {
        CalibrationFit fit = CalibrationFit.of(DecisionSettings.DEFAULT, biased(600, 1), 0);
        assertEquals("bias", fit.entries().get("q").method());
        assertTrue(fit.after().get("q") < fit.before().get("q") - 0.1, fit.toString());
        fit.settings().write(folder);
        DecisionSettings read = DecisionSettings.read(folder, DecisionSettings.DEFAULT);
        assertEquals(fit.settings(), read);
        List<Prediction> unseen = biased(4000, 2);
        double gap = 0;
        int held = 0;
        for (Prediction row : unseen) {
            double[] said = read.probabilities(QUESTION, row.logits());
            gap += (said[Prediction.best(said)] - (Prediction.best(said) == row.right() ? 1 : 0)) / unseen.size();
            DecisionAnswer answer = new DecisionAnswer(QUESTION, Arrays.stream(said).boxed().toList(), false);
            held += read.calibration().set(answer, 0.9).contains(QUESTION.names().get(row.right())) ? 1 : 0;
        }
        assertEquals(0, gap, 0.03);
        assertEquals(0.9, (double) held / unseen.size(), 0.03);
        DecisionCalibration.Threshold threshold = fit.entries().get("q").threshold(0.1).orElseThrow();
        int kept = 0;
        int wrong = 0;
        for (Prediction row : unseen) {
            double[] said = read.probabilities(QUESTION, row.logits());
            if (said[Prediction.best(said)] >= threshold.probability()) {
                kept++;
                wrong += Prediction.best(said) == row.right() ? 0 : 1;
            }
        }
        assertTrue(kept > 1000 && wrong <= 0.1 * kept, wrong + " of " + kept);
    }

    /** Answers that are right in 8 of 10 cases, however sure a model is of them: no temperature or bias says so. */
    private static List<Prediction> noisy(int count, long seed) {
        Random random = new Random(seed);
        DecisionQuestion either = DecisionQuestion.choice("Which?", List.of("a", "b"));
        return IntStream.range(0, count).mapToObj(i -> {
            double logit = 4 * random.nextGaussian();
            boolean first = random.nextDouble() < 0.8 == logit > 0;
            return new Prediction(i, "q", TextNode.valueOf(""), either, new double[] {logit, 0}, first
                    ? new double[] {1, 0} : new double[] {0, 1});
        }).toList();
    }

    /** The line through steps, sought from the other end. */
    private static double between(List<Double> from, List<Double> to, double p) {
        int last = from.size() - 1;
        if (p <= from.get(0) || p >= from.get(last)) {
            return to.get(p <= from.get(0) ? 0 : last);
        }
        int below = last;
        while (from.get(below) > p) {
            below--;
        }
        return to.get(below) + (p - from.get(below)) * (to.get(below + 1) - to.get(below))
                / (from.get(below + 1) - from.get(below));
    }

    @Test
    void manyRowsGetIsotonicStepsWhichAreStoredAndApplied(@TempDir Path folder) {
        List<Prediction> rows = noisy(1200, 5);
        CalibrationFit fit = CalibrationFit.of(DecisionSettings.DEFAULT, rows, 0);
        DecisionCalibration.Entry entry = fit.entries().get("q");
        assertEquals("isotonic", entry.method(), entry.reason());
        assertTrue(fit.after().get("q") < 0.55, "the entropy of 8 in 10 is 0.50: " + fit.after());
        assertTrue(!CalibrationFit.of(DecisionSettings.DEFAULT, rows.subList(0, 999), 0).entries().get("q").reason()
                .contains("isotonic"), "from 1,000 rows on");
        fit.settings().write(folder);
        DecisionSettings read = DecisionSettings.read(folder, DecisionSettings.DEFAULT);
        double loss = 0;
        for (Prediction row : noisy(4000, 6)) {
            double[] heated = DecisionCalibration.softmax(entry.weights().get(0) * row.logits()[0], 0);
            double[] steps = Arrays.stream(heated).map(p -> between(entry.from(), entry.to(), p)).toArray();
            double[] said = read.probabilities(row.question(), row.logits());
            assertEquals(steps[0] / (steps[0] + steps[1]), said[0], 1e-12);
            loss += Scaling.loss(row.gold(), said) / 4000;
        }
        assertTrue(loss < 0.53, "on rows never seen: " + loss);
    }

    @Test
    void thresholdsAreMadeForWantedErrors() {
        List<Prediction> rows = biased(600, 1);
        DecisionCalibration.Entry entry = CalibrationFit.of(DecisionSettings.DEFAULT, rows, 0, List.of(0.15, 0.05))
                .entries().get("q");
        assertEquals(List.of(0.01, 0.02, 0.05, 0.1, 0.15), entry.thresholds().stream()
                .map(DecisionCalibration.Threshold::error).toList());
        assertTrue(entry.threshold(0.15).orElseThrow().coverage() > entry.threshold(0.1).orElseThrow().coverage());
        String message = assertThrows(ConfigurationException.class, () -> CalibrationFit.of(DecisionSettings.DEFAULT,
                rows, 0, List.of(0.0))).getMessage();
        assertTrue(message.contains("must be between 0 and 1"), message);
    }

    @Test
    void fewRowsAreRefused() {
        String message = assertThrows(ConfigurationException.class, () -> CalibrationFit.of(DecisionSettings.DEFAULT,
                biased(19, 1), 0)).getMessage();
        assertEquals("the question 'q' has 19 rows; a calibration needs at least 20", message);
    }
}
