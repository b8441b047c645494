package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.task.JudgedAnswer;
import io.peft4j.train.Runs.Crash;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.DpoOptions;
import io.peft4j.train.objective.KtoObjective;
import io.peft4j.train.objective.KtoOptions;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.OrpoObjective;
import io.peft4j.train.objective.Reference;
import io.peft4j.train.objective.SimpoObjective;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Trainings from preferences: where they begin, what they measure, leave out, and that they can be resumed. */
class PreferenceTrainingTest {
    @TempDir
    private Path folder;

    /** The objectives, with the reference that only the beginning of a training knows. */
    enum Kind {
        DPO, IPO, ORPO, SIMPO, KTO, MIXED;

        TrainingResult train(LanguageModel model, TrainerBuilder trainer) {
            return switch (this) {
                case DPO -> pairs(trainer, new DpoObjective(model,
                        DpoOptions.defaults().withBeta(0.5).withReference(Reference.START)));
                case IPO -> pairs(trainer, new DpoObjective(model, DpoOptions.defaults()
                        .withLoss(DpoOptions.Loss.IPO).withReference(Reference.START)));
                case ORPO -> pairs(trainer, new OrpoObjective(model));
                case SIMPO -> pairs(trainer, new SimpoObjective(model));
                case KTO -> trainer.build().train(new KtoObjective(model,
                        KtoOptions.defaults().withReference(Reference.START)), judged(11, 3), judged(4, 5));
                case MIXED -> trainer.build().train(mixed(model));
            };
        }

        private static TrainingResult pairs(TrainerBuilder trainer, Objective<PreferenceExample> objective) {
            return trainer.build().train(objective, PreferenceTrainingTest.pairs(11, 3),
                    PreferenceTrainingTest.pairs(4, 5));
        }
    }

    /** Data sets of other sizes, with and without reference values. */
    private static MixedObjective mixed(LanguageModel model) {
        return MixedObjective.of(new OrpoObjective(model), pairs(11, 3))
                .and(new MixedObjective.Part<>(new DpoObjective(model, DpoOptions.defaults()
                        .withReference(Reference.START)), 0.3, pairs(5, 7), pairs(4, 5)))
                .and(2, new KtoObjective(model), judged(13, 3));
    }

    static List<PreferenceExample> pairs(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<PreferenceExample> pairs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pairs.add(PreferenceExample.of(words(random), words(random), "c " + words(random)));
        }
        return pairs;
    }

    private static List<JudgedAnswer> judged(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<JudgedAnswer> answers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            answers.add(JudgedAnswer.of(words(random), words(random), random.nextBoolean()));
        }
        return answers;
    }

    /** The tiny model has room for few words. */
    private static String words(SplittableRandom random) {
        StringBuilder text = new StringBuilder("a");
        for (int i = random.nextInt(5); i >= 0; i--) {
            text.append(List.of(" a", " b", " c").get(random.nextInt(3)));
        }
        return text.toString();
    }

    private static TrainingResult train(Kind kind, Path output, UnaryOperator<TrainerBuilder> more) {
        try (Tiny tiny = new Tiny(0.2, new NaiveKernels())) {
            return kind.train(tiny.model, more.apply(Runs.builder(tiny, output).validation(List.of())));
        }
    }

    @ParameterizedTest
    @EnumSource
    void resumedTrainingEqualsUninterrupted(Kind kind) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        Path cancelled = folder.resolve("cancelled");
        TrainingResult expected = train(kind, whole, b -> b);
        assertThrows(Crash.class, () -> train(kind, crashed, b -> Runs.crashingAfter(5).apply(
                b.checkpointEverySteps(2))));
        assertTrue(train(kind, cancelled, Runs.cancellingAfter(3)).cancelled());
        for (Path broken : List.of(crashed, cancelled)) {
            TrainingResult result = train(kind, broken, b -> b.start(RunStart.RESUME));
            assertEquals(broken == crashed ? 4 : 3, result.plan().doneSteps());
            assertEquals(expected.evaluations(), result.evaluations());
            assertArrayEquals(Runs.weights(whole), Runs.weights(broken));
            assertEquals(Runs.metrics(whole), Runs.metrics(broken));
        }
    }

    @Test
    void aTrainingIsNotResumedWithOtherOptionsOfItsObjective() {
        train(Kind.DPO, folder.resolve("run"), Runs.cancellingAfter(3));
        ConfigurationException e = assertThrows(ConfigurationException.class,
                () -> train(Kind.IPO, folder.resolve("run"), b -> b.start(RunStart.RESUME)));
        assertTrue(e.getMessage().contains("objective.beta is 0.1, in the run 0.5")
                && e.getMessage().contains("objective.loss is ipo, in the run sigmoid"), e.getMessage());
    }

    @Test
    void whereTheModelIsItsReferenceTheFirstLossIsLnTwo() {
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().epochs(1).batchSize(4).learningRate(0.02).build().train(
                    new DpoObjective(tiny.model, DpoOptions.defaults().withReference(Reference.START)), pairs(8, 3));

            assertEquals(Math.log(2), result.steps().get(0).trainLoss(), 1e-15);
            assertEquals(0, result.steps().get(0).measures().get("rewards/margins"), 0);
            assertTrue(result.steps().get(1).trainLoss() != Math.log(2));
        }
    }

    @Test
    void rewardsRiseForBetterAnswersAlsoForThoseNotTrainedOn() {
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().epochs(6).batchSize(4).learningRate(0.02).build().train(
                    new DpoObjective(tiny.model), pairs(24, 3), pairs(8, 5));

            double before = result.evaluations().get(0).measures().get("rewards/margins");
            double after = result.evaluations().get(6).measures().get("rewards/margins");
            assertTrue(after > before, before + " -> " + after);
            assertEquals(1, result.evaluations().get(6).measures().get("rewards/accuracies"));
            assertEquals(List.of("logps/chosen", "logps/rejected", "rewards/accuracies", "rewards/chosen",
                    "rewards/margins", "rewards/rejected"), List.copyOf(result.steps().get(0).measures().keySet()));
        }
    }

    @Test
    void pairsOfWhichNothingCanBeLearnedAreCountedAndListed() {
        List<PreferenceExample> pairs = new ArrayList<>(Collections.nCopies(4, PreferenceExample.of("a", "b", "c")));
        pairs.set(1, PreferenceExample.of("a", "b c", "b c"));
        pairs.set(2, PreferenceExample.of("a", "b c", " "));
        pairs.add(PreferenceExample.of("a", "a a a a a a a a a a a a", "b"));
        pairs.add(PreferenceExample.of("a a a a a a a a a a a a a a a", "a", "b"));
        try (Tiny tiny = new Tiny()) {
            List<TrainingResult> result = new ArrayList<>();
            List<String> log = LogLines.of(() -> result.add(tiny.trainer().epochs(1).maxLength(18).build()
                    .train(new DpoObjective(tiny.model), pairs)));

            assertEquals(3, result.get(0).plan().examples());
            assertEquals(3, result.get(0).plan().leftOut());
            for (String line : List.of("have the same tokens for both answers and are left out: row 2",
                    "have an empty answer and are left out: row 3",
                    "have an answer that was cut at the limit of 18 tokens: row 5",
                    "with no room for an answer, and are left out: row 6")) {
                assertTrue(log.stream().anyMatch(said -> said.contains("1 of 6 training examples")
                        && said.endsWith(line)), line + " in " + log);
            }
            String message = assertThrows(ConfigurationException.class, () -> tiny.trainer().build()
                    .train(new DpoObjective(tiny.model), pairs.subList(1, 3))).getMessage();
            assertTrue(message.startsWith("nothing can be learned from any of the 2 training examples: 1 of 2"),
                    message);
        }
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        for (Runnable wrong : List.<Runnable>of(() -> DpoOptions.defaults().withBeta(0),
                () -> DpoOptions.defaults().withLabelSmoothing(0.5),
                () -> DpoOptions.defaults().withLoss(DpoOptions.Loss.IPO).withLabelSmoothing(0.1),
                () -> KtoOptions.defaults().withDesirableWeight(0), () -> Reference.named("basis"),
                () -> DpoOptions.Loss.named("hinge"))) {
            assertThrows(ConfigurationException.class, wrong::run);
        }
    }
}
