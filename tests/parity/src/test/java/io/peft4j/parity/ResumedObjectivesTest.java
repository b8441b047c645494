package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.LabelledWords;
import io.peft4j.data.task.RankedQuery;
import io.peft4j.data.task.SourceTarget;
import io.peft4j.data.task.SpanQuestion;
import io.peft4j.data.task.TextPair;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Cancellation;
import io.peft4j.train.RunStart;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.ClassificationObjective;
import io.peft4j.train.objective.ContrastiveObjective;
import io.peft4j.train.objective.DistillationObjective;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.KeepingObjective;
import io.peft4j.train.objective.KeepingOptions;
import io.peft4j.train.objective.KeptAnswers;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.QuestionAnsweringObjective;
import io.peft4j.train.objective.Reference;
import io.peft4j.train.objective.RerankingObjective;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SamplingOptions;
import io.peft4j.train.objective.SelfDistillationObjective;
import io.peft4j.train.objective.SelfDistillationOptions;
import io.peft4j.train.objective.SourceTargetObjective;
import io.peft4j.train.objective.TokenClassificationObjective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A training that crashed or was stopped resumes bit for bit, whatever it minimizes; preferences have a test apart. */
class ResumedObjectivesTest {
    private static final int STEPS = 6;

    @TempDir
    private Path folder;

    /** A training of a fixture's model and adapter. */
    private record Row(String name, String model, String adapter,
            BiFunction<PeftModel, TrainerBuilder, TrainingResult> training) {
        static <E> Row of(String name, String model, Function<PeftModel, Objective<E>> objective, List<E> examples) {
            return new Row(name, model, model + "/adapter", (tuned, trainer) -> trainer.build().train(
                    objective.apply(tuned), examples, examples.subList(0, 1)));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Row> objectives() {
        return Stream.of(
                Row.of("classification", "encoders/bert-seq-cls", ClassificationObjective::new,
                        List.of(LabelledText.of("charged twice", "0"), LabelledText.of("login fails", "1"),
                                LabelledText.of("who knows", "2"))),
                Row.of("token-classification", "encoders/bert-token-cls", TokenClassificationObjective::new,
                        Collections.nCopies(3, new LabelledWords(List.of("Ada", "Lovelace"), List.of("1", "2")))),
                Row.of("question-answering", "encoders/bert-question",
                        model -> new QuestionAnsweringObjective(model, TextEncoder.of(model), 8),
                        Collections.nCopies(3, new SpanQuestion("Where?", "Ada lived in London.", OptionalInt.of(13),
                                "London"))),
                Row.of("contrastive", "sentences/mean-normalized",
                        model -> new ContrastiveObjective(model).withGradientCache(1),
                        List.of(TextPair.of("charged twice", "refund"),
                                TextPair.of("login fails", "reset", "Paris"),
                                TextPair.of("notice period", "ninety days"))),
                Row.of("reranking", "rerankers/bert",
                        model -> new RerankingObjective(model, RerankingObjective.Loss.LISTNET),
                        List.of(RankedQuery.of(TextPair.of("who", "the manager", "Paris", "b")),
                                RankedQuery.of(TextPair.of("login fails", "reset", "Paris")),
                                RankedQuery.of(TextPair.of("notice period", "ninety days", "a", "c")))),
                Row.of("seq2seq", "seq2seq/flan-t5", SourceTargetObjective::new,
                        List.of(new SourceTarget("Ada", "London"), new SourceTarget("a", "b"),
                                new SourceTarget("c", "d e"))),
                new Row("distillation", "tiny-llama", "adapters/lora", ResumedObjectivesTest::distilled),
                new Row("self-distillation", "tiny-llama", "adapters/lora", ResumedObjectivesTest::selfDistilled),
                new Row("sft that keeps answers", "tiny-llama", "adapters/lora", ResumedObjectivesTest::keeping),
                new Row("grpo", "tiny-llama", "adapters/lora", (model, trainer) -> rewarded(model, trainer,
                        GroupOptions.grpo().withBeta(0.1).withReference(Reference.BASE))),
                new Row("rloo", "tiny-llama", "adapters/lora", (model, trainer) -> rewarded(model, trainer,
                        GroupOptions.rloo())));
    }

    /** On the model's own answers, of which short ones are better. */
    private static TrainingResult rewarded(PeftModel model, TrainerBuilder trainer, GroupOptions options) {
        List<AnswerGroup> prompts = Stream.of("Why?", "When?", "Who?").map(AnswerGroup::of).toList();
        return trainer.build().train(new SampledObjective(new GroupObjective(model,
                options.withMaxCompletionLength(6, false)), Grading.by((item, answer) -> -answer.length()),
                SamplingOptions.defaults().withGroupSize(3), Optional.empty()), prompts, prompts.subList(0, 1));
    }

    /** Along answers that are drawn again for each batch. */
    private static TrainingResult selfDistilled(PeftModel model, TrainerBuilder trainer) {
        List<ChatExample> chats = answers();
        return trainer.build().train(new SelfDistillationObjective(model, SelfDistillationOptions.defaults()
                .withAnswers(6, 1.5).withTeacher(SelfDistillationOptions.Teacher.LIVE)), chats, chats.subList(0, 1));
    }

    /** With other kept answers in each batch. */
    private static TrainingResult keeping(PeftModel model, TrainerBuilder trainer) {
        KeptAnswers kept = KeptAnswers.of(model.base(), KeptAnswers.general(model.base()).subList(0, 5), 6);
        return trainer.build().train(new KeepingObjective<>(new ChatObjective(model), model, kept,
                KeepingOptions.defaults()), answers());
    }

    private static List<ChatExample> answers() {
        return Stream.of("Yes.", "Ninety days.", "No").map(answer -> ChatExample.of(ChatMessage.user("Why?"),
                ChatMessage.assistant(answer))).toList();
    }

    private static TrainingResult distilled(PeftModel student, TrainerBuilder trainer) {
        try (PeftModel teacher = ((BaseModel) student.base()).withAdapter(Fixtures.adapter("rslora"))) {
            return trainer.build().train(new DistillationObjective(student, teacher), answers());
        }
    }

    private static TrainingResult train(Row row, Path output, UnaryOperator<TrainerBuilder> more) {
        try (BaseModel base = KernelsUnderTest.naive(row.model());
                PeftModel model = base.withAdapter(Fixtures.FOLDER.resolve(row.adapter()))) {
            return row.training().apply(model, more.apply(Trainer.builder(model).epochs(3).batchSize(2)
                    .learningRate(1e-2).seed(4).output(output)));
        }
    }

    private static TrainingListener after(long step, Runnable action) {
        return new TrainingListener() {
            @Override
            public boolean failureEndsTraining() {
                return true;
            }

            @Override
            public void onStep(StepMetrics metrics) {
                if (metrics.step() == step) {
                    action.run();
                }
            }
        };
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void interruptedTrainingsEndAsThoseThatWereNot(Row row) throws IOException {
        TrainingResult expected = train(row, folder.resolve("whole"), b -> b);
        assertEquals(STEPS, expected.steps().size());
        assertThrows(IllegalStateException.class, () -> train(row, folder.resolve("crashed"),
                b -> b.checkpointEverySteps(2).listener(after(3, () -> {
                    throw new IllegalStateException("crash");
                }))));
        Cancellation cancellation = new Cancellation();
        assertTrue(train(row, folder.resolve("cancelled"), b -> b.cancellation(cancellation)
                .listener(after(3, cancellation::cancel))).cancelled());
        for (String broken : List.of("crashed", "cancelled")) {
            TrainingResult result = train(row, folder.resolve(broken), b -> b.start(RunStart.RESUME));

            assertEquals(broken.equals("crashed") ? 2 : 3, result.plan().doneSteps());
            assertEquals(expected.evaluations(), result.evaluations());
            assertEquals(expected.finalTrainLoss(), result.finalTrainLoss());
            assertArrayEquals(weights("whole"), weights(broken), broken);
        }
    }

    private byte[] weights(String run) throws IOException {
        return Files.readAllBytes(folder.resolve(run).resolve("adapter_model.safetensors"));
    }
}
