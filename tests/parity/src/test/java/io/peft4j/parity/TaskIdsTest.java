package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.PromptRows;
import io.peft4j.data.ScoringRows;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.NextTokenObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.Passes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of several tasks in one batch, against Hugging Face PEFT's {@code task_ids}. */
class TaskIdsTest {
    /** Relative, as {@link MethodTrainingTest} explains. */
    private static final double TRAINING = 1e-4;
    private static final double NORM = 3e-4;
    private static final GenerationOptions SHORT = GenerationOptions.defaults().withMaxNewTokens(8);
    private static final String QUESTION = "{\"question\": \"Who lights it?\", \"reference\": \"x\", \"task_id\": %s}";
    private static final KernelsUnderTest KERNELS = KernelsUnderTest.all().get(0);

    @TempDir
    Path folder;

    private static JsonNode expected(String name) {
        return Fixtures.json(Fixtures.method(name).resolve("task-ids.json"));
    }

    private static BaseModel base() {
        return KERNELS.shared("tiny-llama");
    }

    /** An adapter of three tasks without one of its own. */
    private PeftModel withoutTask(String name) throws IOException {
        return load(folder.resolve(name), name, OptionalInt.empty());
    }

    /** An adapter of three tasks, of which one is its own or none, in a folder that is made. */
    static PeftModel load(Path copy, String name, OptionalInt own) throws IOException {
        ObjectNode config = (ObjectNode) Fixtures.json(Fixtures.method(name).resolve(AdapterCheckpoint.CONFIG_FILE));
        config.remove("task_id");
        own.ifPresent(task -> config.put("task_id", task));
        Files.createDirectories(copy);
        Files.writeString(copy.resolve(AdapterCheckpoint.CONFIG_FILE), config.toString());
        Files.copy(Fixtures.method(name).resolve(AdapterCheckpoint.WEIGHTS_FILE),
                copy.resolve(AdapterCheckpoint.WEIGHTS_FILE));
        return PeftModel.load(base(), copy);
    }

    @ParameterizedTest
    @ValueSource(strings = {"poly-tasks", "multitask-tasks"})
    void aBatchOfThreeTasksEqualsEachRowAlone(String name) throws IOException {
        List<TokenSequence> rows = new ArrayList<>();
        List<Double> nll = new ArrayList<>();
        List<TokenSequence> texts = Fixtures.texts("tiny-llama");
        for (int i = 0; i < texts.size(); i++) {
            for (int task = 0; task < 3; task++) {
                rows.add(texts.get(i).inTask(task));
                nll.add(expected(name).get("nll_f64").get(i).get(task).asDouble());
            }
        }
        double[] all = nll.stream().mapToDouble(Double::doubleValue).toArray();
        try (PeftModel model = withoutTask(name)) {
            Measure.assertClose(all, Measure.oneByOne(model, rows), "alone");
            Measure.assertClose(all, Measure.together(model, PackedBatch.of(rows)), "in one batch");
            Measure.assertClose(all, Measure.together(model, PackedBatch.sharingPrefixes(rows)), "sharing prefixes");
        }
    }

    /** Next tokens without the random numbers that Poly draws in training: PEFT's model evaluates. */
    private record Undrawn(PeftModel model) implements Objective<TokenSequence> {
        @Override
        public String name() {
            return "undrawn";
        }

        @Override
        public List<EncodedExample> encode(TokenSequence example) {
            return List.of(EncodedExample.of(example));
        }

        @Override
        public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
            try (ModelLease lease = model.lease();
                    Workspace workspace = lease.engine().workspace(Priority.WORK);
                    Pass pass = Pass.differentiating(lease, workspace,
                            PackedBatch.of(EncodedExample.sequences(batch)))) {
                return pass.backward(normalizer);
            }
        }

        @Override
        public double loss(Passes passes, List<EncodedExample> batch) {
            return NextTokenObjective.ofSequences().loss(passes, batch);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"poly-tasks", "multitask-tasks"})
    void twelveStepsWithMixedTasks(String name) throws IOException {
        JsonNode run = expected(name);
        List<TokenSequence> examples = Fixtures.stream(Fixtures.json("training/examples.json").get("examples"))
                .map(Fixtures::supervised).toList();
        List<TokenSequence> ordered = new ArrayList<>();
        for (JsonNode step : run.get("batches")) {
            step.get(0).forEach(number -> ordered.add(examples.get(number.asInt())
                    .inTask(run.get("tasks").get(number.asInt()).asInt())));
        }
        try (PeftModel model = withoutTask(name)) {
            Trainer trainer = Trainer.builder(model).epochs(1).shuffle(false).batchSize(3)
                    .learningRate(run.get("learning_rate").asDouble()).schedule(LearningRateSchedule.named("linear"))
                    .warmupSteps(run.get("warmup_steps").asInt()).weightDecay(run.get("weight_decay").asDouble())
                    .maxGradNorm(1).build();
            List<StepMetrics> steps = (name.startsWith("poly") ? trainer.train(new Undrawn(model), ordered)
                    : trainer.train(ordered)).steps();
            assertEquals(12, steps.size());
            for (int i = 0; i < steps.size(); i++) {
                JsonNode row = run.get("steps").get(i);
                assertRelative(row.get("loss_f64").asDouble(), steps.get(i).trainLoss(), TRAINING, "loss of step " + i);
                assertRelative(row.get("grad_norm_f64").asDouble(), steps.get(i).gradNorm(), NORM, "norm, step " + i);
            }
            List<TokenSequence> texts = Fixtures.texts("tiny-llama");
            double[] after = Measure.together(model, PackedBatch.of(IntStream.range(0, texts.size())
                    .mapToObj(i -> texts.get(i).inTask(i % 3)).toList()));
            for (int i = 0; i < after.length; i++) {
                assertRelative(run.get("nll_after_f64").get(i).asDouble(), after[i], TRAINING, "text " + i);
            }
        }
    }

    private static void assertRelative(double expected, double actual, double tolerance, String what) {
        assertEquals(expected, actual, tolerance * Math.abs(expected), what);
    }

    /** Of the first batch, whose rows are of tasks 2 and 0. */
    @ParameterizedTest
    @ValueSource(strings = {"poly-tasks", "multitask-tasks"})
    void eachTaskHasTheGradientsOfItsRows(String name) throws IOException {
        JsonNode run = expected(name);
        List<TokenSequence> batch = new ArrayList<>();
        run.get("batches").get(0).get(0).forEach(number -> batch.add(Fixtures.supervised(Fixtures
                .json("training/examples.json").get("examples").get(number.asInt()))
                .inTask(run.get("tasks").get(number.asInt()).asInt())));
        int learned = batch.stream().mapToInt(TokenSequence::supervisedTokens).sum();
        try (PeftModel model = withoutTask(name)) {
            model.trainableParameters().forEach(Parameter::clearGradient);
            new Undrawn(model).backward(null, batch.stream().map(EncodedExample::of).toList(), learned);
            int compared = 0;
            for (Parameter parameter : model.trainableParameters()) {
                Optional<JsonNode> norms = run.get("first_gradient_norms_f64").properties().stream()
                        .filter(entry -> entry.getKey().endsWith(parameter.name())).map(Map.Entry::getValue)
                        .findFirst();
                if (norms.isPresent()) {
                    assertNorms(norms.get(), Arrays.toFloats(parameter.gradient()), parameter.name());
                    compared++;
                }
            }
            assertEquals(run.get("first_gradient_norms_f64").size(), compared);
        }
    }

    private static void assertNorms(JsonNode expected, float[] gradient, String name) {
        int own = gradient.length / 3;
        for (int task = 0; task < 3; task++) {
            double sum = 0;
            for (int i = task * own; i < (task + 1) * own; i++) {
                sum += (double) gradient[i] * gradient[i];
            }
            assertEquals(expected.get(task).asDouble(), Math.sqrt(sum), NORM * expected.get(0).asDouble(),
                    name + " of task " + task);
        }
    }

    /** In one batch, and by the service, where each of them keeps keys and values of its own. */
    @ParameterizedTest
    @ValueSource(strings = {"poly-tasks", "multitask-tasks"})
    void answersOfSeveralTasksEqualThoseOfOne(String name) throws Exception {
        int[] ids = Fixtures.texts("tiny-llama").get(1).first(40).ids();
        List<Prompt> prompts = List.of(Prompt.tokens(ids).inTask(2), Prompt.tokens(ids).inTask(0),
                Prompt.tokens(ids).inTask(1), Prompt.tokens(ids).inTask(2));
        try (PeftModel model = withoutTask(name);
                AnswerService service = AnswerService.open(model, AnswerServiceOptions.defaults())) {
            List<int[]> together = model.generate(prompts, SHORT).stream().map(Completion::ids).toList();
            for (int i = 0; i < prompts.size(); i++) {
                assertArrayEquals(model.generate(prompts.subList(i, i + 1), SHORT).get(0).ids(), together.get(i));
            }
            for (int round = 0; round < 2; round++) {
                List<PendingAnswer> pending = prompts.stream().map(prompt -> service.submit(AnswerRequest.of(prompt)
                        .withAdapter(PeftModel.DEFAULT_ADAPTER).withOptions(SHORT))).toList();
                for (int i = 0; i < prompts.size(); i++) {
                    assertArrayEquals(together.get(i), pending.get(i).completions().get(60, TimeUnit.SECONDS).get(0)
                            .ids(), "prompt " + i);
                }
            }
        }
    }

    private Path data(String... rows) throws IOException {
        return Files.write(folder.resolve("rows.jsonl"), List.of(rows));
    }

    private static void score(PeftModel model, Path rows) {
        new ScoringRows(model).read(rows, row -> assertTrue(row.length() > 0));
    }

    @Test
    void rowsWithoutATaskAreOfTheAdaptersOwn() throws IOException {
        JsonNode nll = expected("poly-tasks").get("nll_f64").get(0);
        TokenSequence text = Fixtures.texts("tiny-llama").get(0);
        try (PeftModel model = PeftModel.load(base(), Fixtures.method("poly-tasks"))) {
            Measure.assertClose(new double[] {nll.get(2).asDouble(), nll.get(1).asDouble()},
                    Measure.together(model, PackedBatch.of(List.of(text, text.inTask(1)))), "own task 2, and 1");
            double[] scores = new double[2];
            new ScoringRows(model).read(data("{\"text\": \"The keeper\"}",
                    "{\"text\": \"The keeper\", \"task_id\": 1}"),
                    row -> scores[row.task() == TokenSequence.NO_TASK ? 0 : 1] = Measure.oneByOne(model,
                            List.of(row))[0]);
            assertTrue(Math.abs(scores[0] / scores[1] - 1) > 1e-4, "tasks differ");
        }
    }

    @Test
    void probesAreOfTheAdaptersOwnTaskOrOfTheFirst() throws IOException {
        try (PeftModel own = PeftModel.load(base(), Fixtures.method("poly-tasks"));
                PeftModel several = withoutTask("poly-tasks")) {
            assertEquals(List.of(2, 0, TokenSequence.NO_TASK), Stream.of(own, several, base())
                    .map(model -> TrainingBenchmark.randomExamples(model, 1, 4, 0).get(0).task()).toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"poly-tasks", "multitask-tasks"})
    void wrongTasksAreNamedWithTheirRow(String name) throws IOException {
        String count = name.startsWith("poly") ? "n_tasks is 3" : "num_tasks is 3";
        try (PeftModel model = withoutTask(name)) {
            for (String wrong : List.of("3", "-1", "\"billing\"", "1.5", "99999999999")) {
                Path file = data("{\"prompt\": \"a\", \"completion\": \" b\", \"task_id\": 1}",
                        "{\"prompt\": \"a\", \"completion\": \" b\", \"task_id\": " + wrong + "}");
                for (Runnable run : List.<Runnable>of(() -> score(model, file),
                        () -> PromptRows.read(DataFile.of(file), false, model),
                        () -> Answerer.of(model).answers(EvaluationData.read(file)),
                        () -> Trainer.builder(model).build().train(ChatDataset.read(file)))) {
                    String message = assertThrows(PeftException.class, run::run).getMessage();
                    assertTrue(message.matches("(?s).*rows.jsonl(:|, line )2.*") && message.contains(count), message);
                }
            }
            String made = assertThrows(ConfigurationException.class, () -> Answerer.of(model)
                    .answers(List.of(EvaluationItem.of(ChatExample.of(ChatMessage.user("a"), ChatMessage.assistant("b"))
                            .inTask(3)), EvaluationItem.reference("a", "b"))))
                    .getMessage();
            assertTrue(made.contains("question 1 has the task_id 3") && made.contains(count), made);
            Path without = data("{\"prompt\": \"a\", \"completion\": \" b\"}");
            for (Runnable run : List.<Runnable>of(() -> score(model, without),
                    () -> model.generate(List.of(Prompt.tokens(5)), SHORT),
                    () -> Answerer.of(model).answers(EvaluationData.read(without)),
                    () -> Measure.oneByOne(model, List.of(TokenSequence.allSupervised(4, 5))),
                    () -> Trainer.builder(model).build().train(ChatDataset.read(without)))) {
                String message = assertThrows(PeftException.class, run::run).getMessage();
                assertTrue(message.contains("no task_id") && message.contains(count), message);
            }
            assertThrows(ConfigurationException.class, model::merge);
        }
    }

    /** A question's task goes to the adapter with its answer and its likelihood; the base has none. */
    @Test
    void questionsAreAskedAsTheirTasks() throws IOException {
        try (PeftModel model = withoutTask("multitask-tasks")) {
            List<EvaluationItem> items = EvaluationData.read(data(QUESTION.formatted(0), QUESTION.formatted(2)));
            List<String> answers = Answerer.of(model).withMaxNewTokens(8).answers(items);
            for (int i = 0; i < 2; i++) {
                Prompt prompt = Prompt.of(model, items.get(i).messages()).inTask(2 * i);
                assertEquals(prompt, items.get(i).prompt(model));
                assertEquals(model.generate(List.of(prompt), SHORT).get(0).text(), answers.get(i));
            }
            assertEquals(2, Answerer.of(model.base()).withMaxNewTokens(2).answers(items).size());
        }
    }
}
