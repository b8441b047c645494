package io.peft4j.eval.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every metric equals its reference implementation, on fixtures that {@code make_metrics.py} wrote. */
class MetricParityTest {
    /** Both sides compute the same few double operations on the same counts, in another order. */
    private static final double EXACT = 1e-9;
    private static JsonNode fixtures;

    @BeforeAll
    static void read() throws IOException {
        fixtures = new ObjectMapper().readTree(Path.of("src/test/resources/fixtures/metrics/metrics.json").toFile());
        assertTrue(fixtures.get("pairs").size() >= 300);
    }

    private static String text(JsonNode pair, String key) {
        return pair.get(key).asText().repeat(pair.get("times").asInt());
    }

    private static void check(JsonNode pair, String metric, double expected, DoubleSupplier score) {
        assertEquals(expected, score.getAsDouble(), EXACT, () -> metric + " of " + pair.get("prediction") + " against "
                + pair.get("reference"));
    }

    @Test
    void squad() {
        for (JsonNode pair : fixtures.get("pairs")) {
            String answer = text(pair, "prediction");
            String reference = text(pair, "reference");
            check(pair, "exact match", pair.get("exact_match").asDouble(),
                    () -> SquadScores.exactMatch(answer, reference) ? 1 : 0);
            check(pair, "token F1", pair.get("token_f1").asDouble(), () -> SquadScores.f1(answer, reference));
        }
    }

    @Test
    void rouge() {
        Rouge rouge = new Rouge();
        for (JsonNode pair : fixtures.get("pairs")) {
            String answer = text(pair, "prediction");
            String reference = text(pair, "reference");
            checkRouge(pair, "rouge1", rouge.ngram(1, answer, reference));
            checkRouge(pair, "rouge2", rouge.ngram(2, answer, reference));
            checkRouge(pair, "rougeL", rouge.longestCommon(answer, reference));
            checkRouge(pair, "rougeLsum", rouge.summary(answer, reference));
        }
    }

    private static void checkRouge(JsonNode pair, String name, Rouge.Score score) {
        check(pair, name + " precision", pair.get(name).get(0).asDouble(), score::precision);
        check(pair, name + " recall", pair.get(name).get(1).asDouble(), score::recall);
        check(pair, name, pair.get(name).get(2).asDouble(), score::f1);
    }

    @Test
    void rougeOfStems() {
        Rouge rouge = new Rouge(true);
        for (JsonNode pair : fixtures.get("pairs")) {
            String answer = text(pair, "prediction");
            String reference = text(pair, "reference");
            check(pair, "rouge1", pair.get("rouge1_stem").asDouble(), () -> rouge.ngram(1, answer, reference).f1());
            check(pair, "rougeLsum", pair.get("rougeLsum_stem").asDouble(),
                    () -> rouge.summary(answer, reference).f1());
        }
        assertTrue(fixtures.get("stems").size() > 500);
        fixtures.get("stems").fields().forEachRemaining(stem -> assertEquals(stem.getValue().asText(),
                PorterStemmer.stem(stem.getKey()), stem.getKey()));
    }

    @Test
    void bleuAndChrfOfSentences() {
        for (CorpusMetric metric : TextMetrics.corpusMetrics()) {
            for (JsonNode pair : fixtures.get("pairs")) {
                check(pair, metric.name(), pair.get(metric.name()).asDouble(),
                        () -> metric.sentence(text(pair, "prediction"), List.of(text(pair, "reference"))));
            }
        }
    }

    @Test
    void bleuAndChrfOfCorpora() {
        JsonNode pairs = fixtures.get("pairs");
        for (JsonNode block : fixtures.get("corpus")) {
            int begin = block.get("begin").asInt();
            int end = block.get("end").asInt();
            List<String> answers = new ArrayList<>();
            List<List<String>> references = new ArrayList<>();
            for (int i = begin; i < end; i++) {
                answers.add(text(pairs.get(i), "prediction"));
                String first = text(pairs.get(i), "reference");
                String second = text(pairs.get(i + 1 < end ? i + 1 : begin), "reference");
                references.add(block.get("references").asInt() == 1 ? List.of(first) : List.of(first, second));
            }
            for (CorpusMetric metric : TextMetrics.corpusMetrics()) {
                String name = metric.name();
                assertEquals(block.get(name).asDouble(), metric.corpus(answers, references), EXACT, name);
                assertEquals(block.get(name + "_signature").asText(),
                        metric.signature(block.get("references").asInt()));
            }
        }
    }

    @Test
    void calibration() {
        for (JsonNode each : fixtures.get("calibration")) {
            int n = each.get("correct").size();
            double[] confidence = new double[n];
            boolean[] correct = new boolean[n];
            for (int i = 0; i < n; i++) {
                confidence[i] = each.get("confidence").get(i).asDouble();
                correct[i] = each.get("correct").get(i).asBoolean();
            }
            assertEquals(each.get("ece").asDouble(),
                    CalibrationError.expectedError(confidence, correct, each.get("bins").asInt()), EXACT);
        }
    }

    @Test
    void theBestOfManyReferencesCounts() {
        for (AnswerMetric metric : TextMetrics.answerMetrics()) {
            assertEquals(1, metric.score("Ninety days.", List.of("never", "Ninety days.")), EXACT, metric.name());
        }
    }
}
