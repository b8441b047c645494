package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.TrainedStates;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.task.DecisionForm;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decisions against Laya's own code and Transformers' pipeline, whose answers lie in the fixtures. */
class DecisionsTest {
    /** Of a logit or a probability in f32. */
    private static final double F32 = 1e-5;
    private static final ModelOptions F32_WEIGHTS = ModelOptions.defaults()
            .withPrecision(ModelOptions.Precision.F32);
    private static final Path LAYA = Fixtures.FOLDER.resolve("decisions/laya");

    @Test
    void aLayaCheckpointReadsAndAnswersAsItsOwnCode() {
        try (BaseModel model = load(LAYA, F32_WEIGHTS)) {
            DecisionForm form = DecisionForm.of(model);
            DecisionModel decisions = new DecisionModel(model);
            for (JsonNode row : Fixtures.json(LAYA.resolve("expected.json")).get("rows")) {
                DecisionRequest request = DecisionRequest.of(row);
                List<double[]> logits = decisions.logits(List.of(request));
                Map<String, DecisionAnswer> answers = decisions.decide(request).answers();
                int number = 0;
                for (String name : request.questions().keySet()) {
                    JsonNode expected = row.get("expected").get(name);
                    DecisionForm.Encoded encoded = form.encode(request.state(), request.questions().get(name));
                    assertArrayEquals(Fixtures.ids(expected.get("input_ids")), encoded.sequence().ids(), name);
                    assertArrayEquals(Fixtures.ids(expected.get("markers")), encoded.outputs(), name);
                    assertArrayEquals(Fixtures.doubles(expected.get("logits")), logits.get(number++), F32, name);
                    assertArrayEquals(Fixtures.doubles(expected.get("probabilities")), array(answers.get(name)), F32,
                            name);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "own", "together"})
    void aChatModelReadsAndAnswersAsInTransformers(String kind, @TempDir Path temp) throws IOException {
        Path folder = Fixtures.FOLDER.resolve("decisions/labels-" + kind);
        copy(Fixtures.FOLDER.resolve("tiny-llama"), temp);
        copy(folder, temp);
        try (BaseModel model = load(temp, F32_WEIGHTS)) {
            DecisionForm form = DecisionForm.of(model);
            DecisionModel decisions = new DecisionModel(model);
            for (JsonNode row : Fixtures.json(folder.resolve("expected.json")).get("rows")) {
                DecisionRequest request = DecisionRequest.of(row);
                request.questions().forEach((name, question) -> {
                    int[] ids = form.encode(request, name, IntStream.range(0, question.options().size()).toArray())
                            .sequence().ids();
                    assertArrayEquals(Fixtures.ids(row.get("input_ids").get(name)), Arrays.copyOf(ids, ids.length - 1),
                            name);
                });
                DecisionResult result = decisions.decide(request);
                assertSame(row.get("answers"), result.toJson().get("answers"), "answers");
                assertEquals(Fixtures.stream(row.get("input_ids")).mapToLong(JsonNode::size).sum(),
                        result.inputTokens());
            }
        }
    }

    @Test
    void aPromptOfAllQuestionsNeedsAMarkBehindEach(@TempDir Path temp) throws IOException {
        copy(Fixtures.FOLDER.resolve("tiny-llama"), temp);
        copy(Fixtures.FOLDER.resolve("decisions/labels-together"), temp);
        Path template = temp.resolve("decision_template.jinja");
        Files.writeString(template, Files.readString(template).replace("<|mark|>{% endfor %}", "{% endfor %}<|mark|>"));
        DecisionQuestion question = DecisionQuestion.yesNo("Is it paid?");
        try (BaseModel model = load(temp, F32_WEIGHTS)) {
            DecisionModel decisions = new DecisionModel(model);
            assertEquals(2, decisions.decide("a", question).probabilities().size());
            String message = assertThrows(ConfigurationException.class, () -> decisions.decide(new DecisionRequest(
                    TextNode.valueOf("a"), Map.of("one", question, "two", question)))).getMessage();
            assertTrue(message.contains("has 1 mark <|mark|>, and at least 2 questions"), message);
        }
    }

    @Test
    void settingsAreWrittenAsTheyWereRead(@TempDir Path temp) throws IOException {
        Path folder = Fixtures.FOLDER.resolve("decisions/labels-own");
        copy(Fixtures.FOLDER.resolve("tiny-llama"), temp);
        copy(folder, temp);
        try (BaseModel model = load(temp, F32_WEIGHTS)) {
            Path written = Files.createDirectory(temp.resolve("written"));
            model.decisions().write(written);
            assertEquals(Fixtures.json(folder.resolve("decision.json")),
                    Fixtures.json(written.resolve("decision.json")));
            assertEquals(Files.readString(folder.resolve("decision_template.jinja")),
                    Files.readString(written.resolve("decision_template.jinja")));
        }
    }

    @Test
    void namesOfOptionsAreLabelsInAnyOrder() {
        try (BaseModel model = load(Fixtures.FOLDER.resolve("tiny-llama"), F32_WEIGHTS)) {
            DecisionQuestion question = DecisionQuestion.choice("Which team?", List.of("billing", "login", "other"));
            JsonNode state = DecisionRequest.of("charged twice", question).state();
            List<String> labels = DecisionForm.of(model).nameLabels(question);
            assertEquals(3, labels.stream().distinct().count());
            DecisionForm named = DecisionForm.of(model, DecisionSettings.DEFAULT.withNamesAsLabels(List.of()));
            DecisionForm listed = DecisionForm.of(model, new DecisionSettings(Map.of("choice", labels), Map.of(),
                    Optional.empty(), List.of("true", "false"), true, Optional.empty(), OptionalInt.empty(),
                    OptionalInt.empty(), Optional.empty(), DecisionCalibration.NONE, false, TrainedStates.NONE));
            assertArrayEquals(listed.encode(state, question).sequence().ids(), named.encode(state, question).sequence()
                    .ids());
            assertArrayEquals(named.encode(state, question).outputs(), named.encode(state, question, 2, 0, 1)
                    .outputs());
            DecisionQuestion alike = DecisionQuestion.choice("Which?", List.of("bill", "bill me"));
            assertArrayEquals(DecisionForm.of(model).encode(state, alike).sequence().ids(),
                    named.encode(state, alike).sequence().ids());
        }
    }

    @Test
    void theStateOfSeveralQuestionsIsComputedOnce() {
        try (BaseModel model = load(Fixtures.FOLDER.resolve("tiny-llama"), F32_WEIGHTS)) {
            JsonNode state = TextNode.valueOf("I was charged twice for my invoice. ".repeat(5));
            DecisionForm form = DecisionForm.of(model);
            List<DecisionForm.Encoded> asked = IntStream.range(0, 24).mapToObj(i -> form.encode(state, DecisionQuestion
                    .choice("Team " + i + "?", List.of("billing", "login")))).toList();
            int tokens = asked.stream().mapToInt(each -> each.sequence().length()).sum();
            List<Integer> passes = new ArrayList<>();
            List<double[]> together = form.logits(new Counted(model, passes), asked);
            assertEquals(1, passes.size());
            int ofState = model.tokenizer().encodeAsText(state.textValue()).length;
            assertTrue(tokens > 3000 && passes.get(0) <= tokens - 23 * ofState, passes + " rows of " + tokens);
            for (int i = 0; i < asked.size(); i++) {
                assertArrayEquals(form.logits(model, asked.subList(i, i + 1)).get(0), together.get(i), F32);
            }
            passes.clear();
            form.logits(new Counted(model, passes), IntStream.range(0, 24).mapToObj(i -> form.encode(TextNode
                    .valueOf(i + state.textValue()), DecisionQuestion.choice("Team?", List.of("a", "b")))).toList());
            assertTrue(passes.size() > 1 && passes.stream().allMatch(rows -> rows < 2048 + 256),
                    passes + " rows of other states");
        }
    }

    /**
     * A model that notes the rows of its passes.
     *
     * @param base the model
     * @param rows gets them
     */
    private record Counted(BaseModel base, List<Integer> rows) implements Model {
        @Override
        public Network network() {
            return base.network();
        }

        @Override
        public Engine engine() {
            return base.engine();
        }

        @Override
        public Tokenizer tokenizer() {
            return base.tokenizer();
        }

        @Override
        public ModelLease lease() {
            return base.lease().with(new LayerSelection() {
                @Override
                public Layer at(Slot slot) {
                    return slot.layer();
                }

                @Override
                public ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
                    rows.add(context.batch().rows());
                    return context;
                }
            }, List.of());
        }
    }

    @Test
    void severalOrdersOfTheOptionsAreAveraged() {
        try (BaseModel model = load(LAYA, F32_WEIGHTS)) {
            DecisionQuestion question = DecisionQuestion.choice("Which team?", List.of("billing", "login", "other"));
            DecisionForm form = DecisionForm.of(model);
            JsonNode state = DecisionRequest.of("charged twice", question).state();
            double[] mean = new double[3];
            for (int[] order : new int[][] {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}}) {
                double[] logits = form.logits(model, List.of(form.encode(state, question, order))).get(0);
                double[] p = model.decisions().probabilities(question, logits);
                Arrays.setAll(mean, i -> mean[i] + p[i] / 3);
            }
            assertArrayEquals(mean, array(new DecisionModel(model).withRotations(9).decide("charged twice", question)),
                    F32);
        }
    }

    @Test
    void anEncoderWithoutACheckpointOfDecisionsGetsAHead() {
        try (BaseModel model = load(Fixtures.encoder("bert-seq-cls"), F32_WEIGHTS.withTask(Task.DECISION))) {
            assertEquals(List.of("type_emb", "scorer.0", "scorer.1", "scorer.3"),
                    model.network().headed().untrained());
            DecisionAnswer answer = new DecisionModel(model).decide("a refund", DecisionQuestion.yesNo("Is it paid?"));
            assertEquals(1, answer.probabilities().stream().mapToDouble(p -> p).sum(), 1e-9);
        }
    }

    @Test
    void whatCannotBeAskedIsRefused() {
        try (BaseModel laya = load(LAYA, F32_WEIGHTS);
                BaseModel llama = load(Fixtures.FOLDER.resolve("tiny-llama"), F32_WEIGHTS)) {
            List<String> thirty = IntStream.range(0, 30).mapToObj(i -> "option " + i).toList();
            assertRefused(laya, "a", DecisionQuestion.choice("Which?", thirty), "30 options", "do not fit");
            assertRefused(llama, "a", DecisionQuestion.choice("Which?", thirty), "30 options", "labels for 26");
            for (BaseModel model : List.of(laya, llama)) {
                assertEquals(1, new DecisionModel(model).decide("", DecisionQuestion.choice("Which?", List.of("a",
                        "b"))).probabilities().stream().mapToDouble(p -> p).sum(), 1e-9);
            }
            assertRefused(llama, "word ".repeat(20_000), DecisionQuestion.choice("Which?", List.of("a", "b")),
                    "more than the 256", "shorten the text");
            assertEquals(1, new DecisionModel(laya).decide("word ".repeat(20_000), DecisionQuestion.choice("Which?",
                    List.of("a", "b"))).probabilities().stream().mapToDouble(p -> p).sum(), 1e-9);
        }
    }

    private static BaseModel load(Path folder, ModelOptions options) {
        return BaseModel.load(folder.toString(), options);
    }

    private static void assertRefused(LanguageModel model, String text, DecisionQuestion question, String... words) {
        String message = assertThrows(ConfigurationException.class, () -> new DecisionModel(model).decide(text,
                question)).getMessage();
        Stream.of(words).forEach(word -> assertTrue(message.contains(word), message));
    }

    private static void assertSame(JsonNode expected, JsonNode said, String path) {
        if (expected.isNumber()) {
            assertEquals(expected.doubleValue(), said.doubleValue(), F32, path);
        } else if (expected.isObject()) {
            List<String> names = new ArrayList<>();
            expected.fieldNames().forEachRemaining(names::add);
            List<String> own = new ArrayList<>();
            said.fieldNames().forEachRemaining(own::add);
            assertEquals(names, own, path);
            names.forEach(name -> assertSame(expected.get(name), said.get(name), path + "." + name));
        } else {
            assertEquals(expected, said, path);
        }
    }

    private static double[] array(DecisionAnswer answer) {
        return answer.probabilities().stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : (List<Path>) files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
