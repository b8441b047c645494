package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.RowKind;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.VeraConfig;
import io.peft4j.methods.FullConfig;
import io.peft4j.methods.Ia3Config;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.data.DataSource;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.objective.DecisionObjective;
import io.peft4j.train.objective.ObjectiveValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training of decisions: with PEFT's losses on a Laya checkpoint, and of an encoder and a chat model from labels. */
class DecisionTrainingTest {
    /** Of a loss: rounding grows from step to step, since AdamW divides by the size of gradients. */
    private static final double TRAINED = 1e-4;
    private static final Path LAYA = Fixtures.FOLDER.resolve("decisions/laya");
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ROWS = """
            {"text": "I was charged twice for my invoice", "label": "billing"}
            {"text": "I cannot reset my password", "label": "login"}
            {"text": "a refund to my bank card", "label": "billing"}
            {"text": "the login fails", "label": "login"}
            """;

    @TempDir
    private Path temp;

    @Test
    void lossesOnALayaCheckpointAreThoseOfHuggingFacePeft() throws IOException {
        JsonNode training = Fixtures.json(LAYA.resolve("expected.json")).get("training");
        StringBuilder lines = new StringBuilder();
        training.get("rows").forEach(row -> lines.append(row).append('\n'));
        List<DecisionRow> rows = RowKind.DECISIONS.read(DataFile.of(Files.writeString(temp.resolve("rows.jsonl"),
                lines)));
        try (BaseModel base = BaseModel.load(LAYA.toString(), F32);
                PeftModel model = base.withAdapter(LAYA.resolve("adapter"))) {
            TrainingResult result = Trainer.builder(model).epochs(training.get("epochs").asInt())
                    .batchSize(training.get("batch_size").asInt())
                    .learningRate(training.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                    .weightDecay(0).maxGradNorm(1).shuffle(false).build()
                    .train(DecisionObjective.of(model), rows);
            assertArrayEquals(Fixtures.doubles(training.get("losses")), result.steps().stream()
                    .mapToDouble(step -> step.trainLoss()).toArray(), TRAINED);
            List<DecisionRequest> requests = rows.stream().map(DecisionRow::request).toList();
            Fixtures.keep(model, "decisions/laya", new DecisionModel(model).logits(requests));
        }
    }

    private static List<PeftConfig> methods() {
        return List.of(LoraConfig.builder().rank(4).targetModules("query", "value").build(),
                Ia3Config.builder().targetModules("key", "value", "output.dense").feedforwardModules("output.dense")
                        .build(),
                VeraConfig.builder().rank(8).targetModules("query", "value").build());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void encoderWithItsOwnHeadLearnsLabelsAndIsAskedAsTrained(PeftConfig method) throws IOException {
        Path folder = train(Fixtures.encoder("bert-seq-cls"), 60, method, jsonLines());
        assertEquals(Optional.of(Task.DECISION), AdapterTask.read(folder));
        JsonNode config = Fixtures.json(folder.resolve("adapter_config.json"));
        assertTrue(config.get("task_type").isNull());
        assertEquals(List.of("type_emb", "scorer"), Fixtures.stream(config.get("modules_to_save"))
                .map(JsonNode::asText).toList());
        assertEquals(method.getClass(), AdapterCheckpoint.readConfig(folder).getClass());
        assertAnswers(Fixtures.encoder("bert-seq-cls"), folder, F32.withTask(Task.DECISION));
    }

    @Test
    void aNewHeadLearnsByDefaults() {
        DecisionQuestion team = DecisionQuestion.choice("Which team?", List.of("billing", "login"));
        List<DecisionRow> rows = IntStream.range(0, 96).mapToObj(i -> i % 2 == 0
                ? row("refund of " + 37 * i, team, "billing") : row("password " + 53 * i, team, "login")).toList();
        try (BaseModel base = BaseModel.load(Fixtures.encoder("bert-seq-cls").toString(), F32.withTask(Task.DECISION));
                PeftModel tuned = base.withAdapter(LoraConfig.builder().targetModules(TargetModules.ALL_LINEAR)
                        .build())) {
            Trainer.builder(tuned).build().train(DecisionObjective.of(tuned), rows.subList(0, 48));
            DecisionModel decisions = new DecisionModel(tuned);
            long right = rows.subList(48, 96).stream().filter(row -> row.gold().get("team").get(decisions
                    .decide(row.request()).answers().get("team").best()) == 1).count();
            assertTrue(right >= 36, right + " of 48, of which half are of the most frequent team");
        }
    }

    @Test
    void anEmbedderAnswersByTheNearestOptionAndLearnsFromThere() throws IOException {
        Path embedder = Fixtures.FOLDER.resolve("sentences/mean-normalized");
        List<String> options = List.of("billing", "login");
        String text = "I cannot reset my password";
        try (BaseModel embedding = BaseModel.load(embedder.toString(), F32.withTask(Task.EMBEDDING));
                BaseModel base = BaseModel.load(embedder.toString(), F32.withTask(Task.DECISION))) {
            TextEmbedder vectors = new TextEmbedder(embedding);
            double[] expected = options.stream().mapToDouble(option -> 20 * TextEmbedder.cosine(vectors.embed(text),
                    vectors.embed("Team? " + option))).toArray();
            DecisionRequest request = DecisionRequest.of(text, DecisionQuestion.choice("Team?", options));
            assertArrayEquals(expected, new DecisionModel(base).logits(List.of(request)).get(0), 1e-4);
            assertArrayEquals(expected, new DecisionModel(base).logits(List.of(request), n -> new int[] {1, 0}).get(0),
                    1e-4, "the order of options does not matter");
        }
        Path folder = train(embedder, 60, LoraConfig.builder().rank(4).targetModules("query", "value").build(),
                jsonLines());
        assertAnswers(embedder, folder, F32.withTask(Task.DECISION));
        assertTrue(AdapterCheckpoint.readConfig(folder) instanceof LoraConfig saved
                && saved.placement().modulesToSave().isEmpty(), "there is no head that PEFT could look for");
    }

    @Test
    void allWeightsWithANewHeadAreTrainedTogether() throws IOException {
        Path folder = train(Fixtures.encoder("bert-seq-cls"), 20, FullConfig.builder().build(), jsonLines());
        assertAnswers(Fixtures.encoder("bert-seq-cls"), folder, F32.withTask(Task.DECISION));
        try (BaseModel base = BaseModel.load(Fixtures.encoder("bert-seq-cls").toString(),
                F32.withTask(Task.DECISION))) {
            String message = assertThrows(ConfigurationException.class, () -> base.withAdapter(FullConfig.builder()
                    .targetModules("query").build())).getMessage();
            assertTrue(message.contains("FULL does not train the head"), message);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"labels.jsonl", "labels.csv", "chats.jsonl"})
    void aChatModelLearnsLabelsByTheirTokensFromAnyFile(String name) throws IOException {
        StringBuilder lines = new StringBuilder(name.endsWith("csv") ? "text,label\n" : "");
        for (String line : ROWS.lines().toList()) {
            JsonNode row = JSON.readTree(line);
            String text = row.get("text").asText();
            String label = row.get("label").asText();
            lines.append(switch (name) {
                case "labels.csv" -> '"' + text + "\"," + label;
                case "labels.jsonl" -> line;
                default -> "{\"messages\": [{\"role\": \"user\", \"content\": \"" + text
                        + "\"}, {\"role\": \"assistant\", \"content\": \"" + label + "\"}]}";
            }).append('\n');
        }
        Path folder = train(Fixtures.FOLDER.resolve("tiny-llama"), 60, LoraConfig.builder().rank(4)
                .targetModules("q_proj", "v_proj", "down_proj").build(), Files.writeString(temp.resolve(name), lines));
        assertEquals(Optional.empty(), AdapterTask.read(folder));
        assertAnswers(Fixtures.FOLDER.resolve("tiny-llama"), folder, F32);
    }

    /** The new option is the nearest to a text with its words; a head or labels at least give it a probability. */
    @ParameterizedTest
    @ValueSource(strings = {"sentences/mean-normalized", "decisions/laya", "tiny-llama"})
    void anOptionThatNoTrainingHasShownIsAnswered(String model) throws IOException {
        Path base = Fixtures.FOLDER.resolve(model);
        ModelOptions options = model.equals("tiny-llama") ? F32 : F32.withTask(Task.DECISION);
        DecisionQuestion team = DecisionQuestion.choice("Team?", List.of("billing", "login"));
        DecisionQuestion three = DecisionQuestion.choice("Team?",
                List.of("billing", "login", "the invoice of my card"));
        try (BaseModel loaded = BaseModel.load(base.toString(), options);
                PeftModel tuned = loaded.withAdapter(LoraConfig
                        .builder().rank(4).targetModules(TargetModules.ALL_LINEAR).build())) {
            // A few updates at a falling rate: more bend vectors of random weights away from what their words share.
            Trainer.builder(tuned).epochs(10).batchSize(2).learningRate(5e-3).schedule(LearningRateSchedule.LINEAR)
                    .build().train(DecisionObjective.of(tuned), List.of(row("charged twice", team, "billing"),
                            row("no password", team, "login")));
            DecisionModel decisions = new DecisionModel(tuned);
            assertEquals("login", decisions.decide("no password", team).choice());
            DecisionAnswer answer = decisions.decide("the invoice of my card", three);
            assertEquals(1, answer.probabilities().stream().mapToDouble(p -> p).sum(), 1e-9);
            assertTrue(answer.probabilities().stream().allMatch(p -> p > 0), answer.toString());
            assertTrue(!model.startsWith("sentences") || answer.best() == 2, answer.toString());
        }
    }

    /** The first loss is that of the base: the mean of -log p, by weights, with the distance of levels for a score. */
    @Test
    void weightsOfQuestionsAndDistancesOfLevelsAreInTheLoss() throws IOException {
        Path data = Files.writeString(temp.resolve("rows.jsonl"), """
                {"state": "charged twice", "questions": {"paid": {"type": "noul", "instructions": "Paid?"}, "urgency": \
                {"type": "score", "instructions": "How urgent?", "criteria": ["low", "some", "high"]}}, "expected": \
                {"paid": "true", "urgency": "low"}}
                """);
        TrainingData examples = TrainingData.read(List.of(new DataSource("decision", DataFile.of(data))),
                new ObjectiveValues(Map.of("question-weights", "paid=3", "ordinal-distance", 0.5)), BaseModel::load);
        try (BaseModel base = BaseModel.load(LAYA.toString(), F32);
                PeftModel tuned = base.withAdapter(LoraConfig
                        .builder().rank(4).targetModules("Wqkv").build())) {
            List<double[]> logits = new DecisionModel(base).logits(RowKind.DECISIONS.read(DataFile.of(data)).stream()
                    .map(DecisionRow::request).toList());
            double[] paid = DecisionCalibration.softmax(logits.get(0));
            double[] urgency = DecisionCalibration.softmax(logits.get(1));
            double expected = (3 * -Math.log(paid[1]) - Math.log(urgency[0]) + 0.5 * (urgency[1] / 2 + urgency[2])) / 4;
            TrainingResult result = examples.train(Trainer.builder(tuned).epochs(1).batchSize(2), tuned);
            assertEquals(expected, result.steps().get(0).trainLoss(), TRAINED);
        }
    }

    @Test
    void whatIsLeftIsTheAdapterOfTheLowestValidationLoss() {
        DecisionQuestion team = DecisionQuestion.choice("Which team?", List.of("billing", "login"));
        List<DecisionRow> learned = List.of(row("charged twice", team, "billing"), row("no password", team, "login"));
        List<DecisionRow> contrary = List.of(row("charged twice", team, "login"), row("no password", team, "billing"));
        try (BaseModel base = BaseModel.load(Fixtures.FOLDER.resolve("tiny-llama").toString(), F32);
                PeftModel tuned = base.withAdapter(LoraConfig.builder().rank(4).targetModules("q_proj").build())) {
            TrainingResult result = Trainer.builder(tuned).epochs(20).batchSize(2).learningRate(1e-2).build()
                    .train(DecisionObjective.of(tuned), learned, contrary);
            DoubleSummaryStatistics losses = result.evaluations().stream().mapToDouble(TrainingResult.Evaluation::loss)
                    .summaryStatistics();
            assertTrue(result.evaluations().stream().allMatch(each -> each.comparedLoss() <= each.loss()));
            assertTrue(losses.getMax() > 2 * losses.getMin(), "what is learned is wrong of the others: " + result);
            DecisionModel decisions = new DecisionModel(tuned);
            double loss = contrary.stream().mapToDouble(row -> -Math.log(decisions.decide(row.request()).answers()
                    .get("team").probabilities().get(row.gold().get("team").indexOf(1.0)))).average().orElseThrow();
            assertEquals(losses.getMin(), loss, TRAINED);
        }
    }

    private static DecisionRow row(String state, DecisionQuestion question, String right) {
        return DecisionRow.of(TextNode.valueOf(state), "team", question, right);
    }

    private Path jsonLines() throws IOException {
        return Files.writeString(temp.resolve("labels.jsonl"), ROWS);
    }

    private Path train(Path model, int epochs, PeftConfig config, Path data) throws IOException {
        TrainingData examples = TrainingData.read(List.of(new DataSource("decision", DataFile.of(data))),
                ObjectiveValues.none(), BaseModel::load);
        ModelOptions options = examples.task(() -> BaseModel.taskOf(io.peft4j.models.hub.ModelLocator
                .fromEnvironment().locate(model.toString()))).map(F32::withTask).orElse(F32);
        Path folder = temp.resolve("adapter");
        try (BaseModel base = BaseModel.load(model.toString(), options); PeftModel tuned = base.withAdapter(config)) {
            TrainingResult result = examples.train(Trainer.builder(tuned).epochs(epochs).batchSize(4)
                    .learningRate(1e-2).output(folder), tuned);
            assertTrue(result.finalTrainLoss().getAsDouble() < 0.2, result.toString());
        }
        return folder;
    }

    private static void assertAnswers(Path model, Path folder, ModelOptions options) {
        try (BaseModel base = BaseModel.load(model.toString(), options); PeftModel tuned = base.withAdapter(folder)) {
            DecisionModel decisions = new DecisionModel(tuned);
            assertEquals(List.of("billing", "login"), decisions.settings().plainQuestion().orElseThrow().names());
            assertFalse(base.decisions().plainQuestion().isPresent());
            DecisionAnswer answer = decisions.decide("I cannot reset my password",
                    decisions.settings().plainQuestion().get());
            assertEquals("login", answer.choice());
            assertEquals("billing", decisions.decide("a refund to my bank card", answer.question()).choice());
        }
    }
}
