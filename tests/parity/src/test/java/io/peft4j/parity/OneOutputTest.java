package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.LabelledText;
import io.peft4j.eval.head.TaskComparison;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.models.BaseModel;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.train.data.DataSource;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.objective.ClassificationObjective;
import io.peft4j.train.objective.ObjectiveValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models with one output, which are a regression of texts and the cross-encoder of pairs. {@link EncoderContractTest}
 * holds the losses of the latter against those of sentence-transformers.
 */
class OneOutputTest {
    private static final Task CROSS_ENCODER = Task.multiLabel("score");
    /** What a checkpoint with one output is that does not say how it is learned. */
    private static final Task ONE_OUTPUT = new Task(Task.Type.SEQ_CLS, List.of("score"), Task.Problem.REGRESSION,
            false);

    @TempDir
    private Path folder;

    private Optional<Task> chosen(Task own, String... rows) throws IOException {
        Path file = Files.write(folder.resolve("rows.jsonl"), List.of(rows));
        return TrainingData.read(List.of(new DataSource("classification", DataFile.of(file))), ObjectiveValues.none(),
                BaseModel::load).task(() -> own);
    }

    private static String pair(String label) {
        // Each with a text of its own, since one pair with two labels is a contradiction.
        return "{\"text\": \"" + label.replace("\"", "") + "\", \"text_pair\": \"b\", " + label + "}";
    }

    @Test
    void pairsWithNumbersFromZeroToOneAreLearnedAsByACrossEncoder() throws IOException {
        assertEquals(Optional.of(CROSS_ENCODER), chosen(ONE_OUTPUT, pair("\"label\": 1"), pair("\"label\": 0")));
        assertEquals(Optional.of(CROSS_ENCODER), chosen(ONE_OUTPUT, pair("\"label\": 0.3"), pair("\"label\": 1")));
        assertEquals(Optional.of(CROSS_ENCODER), chosen(ONE_OUTPUT, pair("\"label_probabilities\": [0.2, 0.8]")));
        assertEquals(Optional.of(CROSS_ENCODER), chosen(CROSS_ENCODER, "{\"text\": \"a\", \"label\": 1}"));
    }

    @Test
    void otherRowsAreLearnedAsBefore() throws IOException {
        assertEquals(Optional.empty(), chosen(ONE_OUTPUT, pair("\"label\": 4.5"), pair("\"label\": 0")));
        assertEquals(Optional.empty(), chosen(ONE_OUTPUT, "{\"text\": \"a\", \"label\": 1}", "{\"text\": \"b\", "
                + "\"label\": 0}"));
        assertEquals(Optional.empty(), chosen(Task.classification("LABEL_0", "LABEL_1"), pair("\"label\": 1"),
                pair("\"label\": 0")));
        assertEquals(Optional.of(Task.classification("no", "yes")), chosen(ONE_OUTPUT, pair("\"label\": \"yes\""),
                pair("\"label\": \"no\"")));
    }

    @Test
    void aStatedRegressionStaysOne() throws IOException {
        Task regression = Task.regression("score");
        assertEquals(Optional.empty(), chosen(regression, pair("\"label\": 1"), pair("\"label\": 0")));
        assertEquals(Optional.empty(), chosen(regression, pair("\"label\": 0.3"), pair("\"label\": 1")));
        Path model = Fixtures.FOLDER.resolve("encoders/bert-cross-encoder");
        ObjectNode config = (ObjectNode) Fixtures.json(model.resolve("config.json"));
        config.remove("problem_type");
        assertFalse(TaskPlan.of(new ModelConfig(model, config.deepCopy()), Task.Type.SEQ_CLS).task().stated());
        assertTrue(TaskPlan.of(new ModelConfig(model, config.put("problem_type", "regression")), Task.Type.SEQ_CLS)
                .task().stated());
    }

    @Test
    void aLabelOfAPairIsTheProbabilityThatItIsRight() {
        try (BaseModel model = KernelsUnderTest.naive("encoders/bert-cross-encoder")) {
            ClassificationObjective objective = new ClassificationObjective(model);

            assertArrayEquals(new float[] {0.25f}, objective.encode(row("0.25")).get(0).targets());
            assertArrayEquals(new float[] {1}, objective.encode(row("relevant")).get(0).targets());
            assertArrayEquals(new float[] {0}, objective.encode(row()).get(0).targets());
            assertArrayEquals(new float[] {0.75f}, objective.encode(new LabelledText("a", Optional.of("b"),
                    List.of("0", "1"), List.of(0.25, 0.75))).get(0).targets());
            String message = assertThrows(ConfigurationException.class, () -> objective.encode(row("2"))).getMessage();
            assertTrue(message.contains("'2' is neither 'relevant'") && message.contains("from 0 to 1"), message);
        }
    }

    @Test
    void uncertainMultiLabelsKeepTheirProbabilities() {
        try (BaseModel model = KernelsUnderTest.naive("encoders/distilbert-multi-label")) {
            assertArrayEquals(new float[] {0, 0.75f, 0.25f}, new ClassificationObjective(model).encode(
                    new LabelledText("a", Optional.empty(), List.of("c", "b"), List.of(0.25, 0.75))).get(0).targets());
        }
    }

    /** Of the six pairs, the logits of the second to the fifth are above 0. */
    @Test
    void pairsAreEvaluatedByWhetherTheirLabelIsMoreLikelyThanNot() {
        List<LabelledText> rows = Fixtures.stream(Fixtures.json("encoders/bert-cross-encoder/expected.json")
                .get("rows")).map(
                        row -> new LabelledText(row.get("text").asText(), Optional.of(row.get("text_pair")
                                .asText()), List.of(row.get("label").asText())))
                .toList();
        try (BaseModel model = KernelsUnderTest.naive("encoders/bert-cross-encoder")) {
            assertEquals(List.of(1, 2, 3, 5, 6), TaskComparison.of(model, model).on(rows).wrong().stream()
                    .map(TaskReport.RowAnswer::row).sorted().toList());
        }
    }

    private static LabelledText row(String... labels) {
        return new LabelledText("a", Optional.of("b"), List.of(labels));
    }
}
