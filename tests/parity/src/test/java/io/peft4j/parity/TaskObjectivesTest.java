package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.train.objective.DataSetup;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SamplingOptions;
import io.peft4j.train.objective.SelfDistillationObjective;
import io.peft4j.train.objective.SelfDistillationOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Objectives on a batch of rows of several tasks: loss and gradients are the sum of those that adapters with each task
 * as their own compute of its row, which names none there.
 */
class TaskObjectivesTest {
    /** Of the loss, and of a gradient's largest value: the same sums in another order, in f32. */
    private static final double SAME = 1e-4;
    private static final int TOKENS = 6;
    private static final int[] TASKS = {2, 0, 1};
    private static final List<String> ASKED = List.of("Who lights it?", "When does it open?", "Why?");

    @TempDir
    Path folder;

    /** Without the random numbers that Poly draws in training. */
    private record Undrawn(PeftModel model) implements Passes {
        @Override
        public double training(int part, List<TokenSequence> sequences, ToDoubleFunction<Pass> work) {
            try (ModelLease lease = model.lease();
                    Workspace workspace = lease.engine().workspace(Priority.WORK);
                    Pass pass = Pass.differentiating(lease, workspace, lease.network().pack(sequences))) {
                return work.applyAsDouble(pass);
            }
        }

        @Override
        public <T> T evaluation(List<TokenSequence> sequences, Function<Pass, T> work) {
            try (ModelLease lease = model.lease()) {
                return evaluated(lease, sequences, work);
            }
        }

        @Override
        public <T> T base(List<TokenSequence> sequences, Function<Pass, T> work) {
            try (ModelLease lease = model.lease()) {
                return evaluated(lease.withLayers(LayerSelection.BASE), sequences, work);
            }
        }

        private static <T> T evaluated(ModelLease lease, List<TokenSequence> sequences, Function<Pass, T> work) {
            try (Workspace workspace = lease.engine().workspace(Priority.WORK);
                    Pass pass = Pass.evaluation(lease, workspace, lease.network().pack(sequences))) {
                return work.apply(pass);
            }
        }

        @Override
        public Passes named(String name) {
            return this;
        }

        @Override
        public long seed() {
            return 7;
        }

        @Override
        public void measure(String name, double[] sums, double count) {
            // Without a reader.
        }
    }

    /** What a model learns of rows. */
    private record Learned(double loss, double held, Map<String, float[]> gradients) {
        static <E> Learned of(PeftModel model, Objective<E> objective, List<E> rows) {
            Passes passes = new Undrawn(model);
            List<EncodedExample> encoded = objective.encode(rows, new DataSetup("training", 200, 3)).examples();
            assertEquals(rows.size(), encoded.size());
            float[][] values = objective.reference(passes, encoded);
            List<EncodedExample> batch = IntStream.range(0, values.length)
                    .mapToObj(i -> encoded.get(i).withMoreTargets(values[i])).toList();
            model.trainableParameters().forEach(Parameter::clearGradient);
            double loss = objective.backward(passes, batch, ASKED.size());
            Map<String, float[]> gradients = new LinkedHashMap<>();
            model.trainableParameters().forEach(each -> gradients.put(each.name(), Arrays.toFloats(each.gradient())));
            return new Learned(loss, objective.loss(passes, batch), gradients);
        }

        Learned plus(Learned other) {
            Map<String, float[]> sums = new LinkedHashMap<>();
            gradients.forEach((name, mine) -> {
                float[] sum = mine.clone();
                IntStream.range(0, sum.length).forEach(i -> sum[i] += other.gradients.get(name)[i]);
                sums.put(name, sum);
            });
            return new Learned(loss + other.loss, held + other.held, sums);
        }

        void assertSame(Learned expected) {
            assertEquals(expected.loss, loss, SAME * Math.abs(expected.loss));
            assertEquals(expected.held, held, SAME * Math.abs(expected.held));
            expected.gradients.forEach((name, right) -> {
                double largest = IntStream.range(0, right.length).mapToDouble(i -> Math.abs(right[i])).max().orElse(0);
                assertTrue(largest > 0, name + " learns nothing");
                for (int i = 0; i < right.length; i++) {
                    assertEquals(right[i], gradients.get(name)[i], SAME * largest, name + " " + i);
                }
            });
        }
    }

    private static ChatExample asked(int row, Optional<String> answer, boolean named) {
        List<ChatMessage> messages = new ArrayList<>(List.of(ChatMessage.user(ASKED.get(row))));
        answer.ifPresent(text -> messages.add(ChatMessage.assistant(text)));
        ChatExample example = new ChatExample(messages, List.of(), Map.of("row", row, "context", "Ann lights it."),
                Origin.PROGRAM);
        return named ? example.inTask(TASKS[row]) : example;
    }

    private static PreferenceExample pair(int row, boolean named) {
        ChatExample asked = asked(row, Optional.empty(), named);
        return new PreferenceExample(asked.messages(), List.of(ChatMessage.assistant("Ann, at six.")),
                List.of(ChatMessage.assistant("I cannot say.")), List.of(), asked.extra(), asked.origin());
    }

    private static AnswerGroup group(int row, boolean named) {
        return new AnswerGroup(asked(row, Optional.empty(), named), List.of(new AnswerGroup.Sample("Ann, at six.", 1),
                new AnswerGroup.Sample("Nobody.", 0), new AnswerGroup.Sample("I cannot say.", 0.25)));
    }

    /** A row alone is learned by an adapter with its task, in a batch of its own. */
    private <E> void assertApart(String adapter, Function<PeftModel, Objective<E>> objective, List<E> named,
            List<E> others) throws IOException {
        Learned expected = null;
        for (int row = 0; row < TASKS.length; row++) {
            try (PeftModel model = TaskIdsTest.load(folder.resolve("" + row), adapter, OptionalInt.of(TASKS[row]))) {
                Learned alone = Learned.of(model, objective.apply(model), others.subList(row, row + 1));
                expected = expected == null ? alone : expected.plus(alone);
            }
        }
        try (PeftModel model = TaskIdsTest.load(folder.resolve("all"), adapter, OptionalInt.empty())) {
            Learned.of(model, objective.apply(model), named).assertSame(expected);
        }
    }

    private static <E> List<E> rows(Function<Integer, E> row) {
        return IntStream.range(0, TASKS.length).boxed().map(row).toList();
    }

    @ParameterizedTest
    @CsvSource({"poly-tasks, dpo", "multitask-tasks, dpo", "poly-tasks, grpo", "multitask-tasks, grpo",
        "poly-tasks, self-distillation", "multitask-tasks, self-distillation"})
    void aMixedBatchLearnsWhatItsRowsDoAlone(String adapter, String name) throws IOException {
        switch (name) {
            case "dpo" -> assertApart(adapter, DpoObjective::new, rows(row -> pair(row, true)),
                    rows(row -> pair(row, false)));
            case "grpo" -> assertApart(adapter, model -> new GroupObjective(model, GroupOptions.grpo()
                    .withLoss(GroupOptions.Loss.GRPO)), rows(row -> group(row, true)), rows(row -> group(row, false)));
            default -> {
                SelfDistillationOptions options = SelfDistillationOptions.defaults().withAnswers(TOKENS, 0)
                        .withTeacher(SelfDistillationOptions.Teacher.LIVE);
                assertApart(adapter, model -> new SelfDistillationObjective(model, options),
                        rows(row -> asked(row, Optional.of("Ann."), true)),
                        rows(row -> asked(row, Optional.of("Ann."), false)));
            }
        }
    }

    /**
     * What is drawn depends on a prompt's place in the batch, so that each adapter answers all prompts here; those of
     * other tasks are all given the same reward, of which nothing is learned.
     */
    @ParameterizedTest
    @CsvSource({"poly-tasks", "multitask-tasks"})
    void drawnAnswersAreThoseOfTheTask(String adapter) throws IOException {
        Learned expected = null;
        for (int row = 0; row < TASKS.length; row++) {
            try (PeftModel model = TaskIdsTest.load(folder.resolve("" + row), adapter, OptionalInt.of(TASKS[row]))) {
                Learned one = Learned.of(model, sampled(model, OptionalInt.of(row)), rows(i -> group(i, false)));
                expected = expected == null ? one : expected.plus(one);
            }
        }
        try (PeftModel model = TaskIdsTest.load(folder.resolve("all"), adapter, OptionalInt.empty())) {
            Learned.of(model, sampled(model, OptionalInt.empty()), rows(i -> group(i, true))).assertSame(expected);
        }
    }

    private static SampledObjective sampled(PeftModel model, OptionalInt graded) {
        GroupOptions options = GroupOptions.grpo().withLoss(GroupOptions.Loss.GRPO)
                .withMaxCompletionLength(TOKENS, false);
        return new SampledObjective(new GroupObjective(model, options), Grading.by((item, answer) -> graded.isPresent()
                && !item.get("row").equals(graded.getAsInt()) ? 0 : 1 + Math.abs(answer.hashCode() % 97)),
                SamplingOptions.defaults().withGroupSize(4), Optional.empty());
    }
}
