package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What a training computes. */
class TrainerTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);

    /** Trains a fresh model and gives what it has learned. */
    private static float[] trained(List<TokenSequence> examples, Function<TrainerBuilder, TrainerBuilder> options) {
        try (Tiny tiny = new Tiny()) {
            options.apply(tiny.trainer().learningRate(0.01)).build().train(examples);
            return tiny.values();
        }
    }

    @Test
    void accumulatedBatchesEqualOneLargeBatch() {
        float[] large = trained(EXAMPLES, b -> b.batchSize(6).epochs(3));
        for (int batchSize : new int[] {1, 2, 3}) {
            float[] accumulated = trained(EXAMPLES, b -> b.batchSize(batchSize).gradientAccumulation(6 / batchSize)
                    .epochs(3));
            // AdamW's first steps divide small gradients by their own size, which enlarges their rounding.
            assertEquals(0, Tiny.distance(large, accumulated), 1e-4);
        }
    }

    @Test
    void validationExamplesThatAreTrainedOnAreCounted() {
        try (Tiny tiny = new Tiny()) {
            List<TokenSequence> held = new ArrayList<>(EXAMPLES.subList(0, 3));
            held.addAll(Tiny.examples(2, 99));
            List<String> log = LogLines.of(() -> tiny.trainer().epochs(1).validation(held).build()
                    .train(EXAMPLES));
            assertTrue(log.stream().anyMatch(line -> line.contains("3 of 5 validation examples also stand in the "
                    + "training data")), log.toString());
            assertFalse(LogLines.of(() -> tiny.trainer().epochs(1).validation(Tiny.examples(2, 99)).build()
                    .train(EXAMPLES)).stream().anyMatch(line -> line.contains("also stand")));
        }
    }

    @Test
    void sharedPrefixesTrainLikeSeparateExamples() {
        float[] separate = trained(EXAMPLES, b -> b.sharePrefixes(false));
        float[] shared = trained(EXAMPLES, b -> b.sharePrefixes(true));
        assertEquals(0, Tiny.distance(separate, shared), 1e-4);
    }

    @Test
    void recomputationChangesNoBit() {
        assertArrayEquals(trained(EXAMPLES, b -> b), trained(EXAMPLES, b -> b.recompute(true)));
    }

    /** The loop written out: order, normalisation, clipping, schedule and optimizer are these and nothing else. */
    @Test
    void trainingEqualsAPlainLoop() {
        int epochs = 2;
        double maxNorm = 0.5;
        float[] actual = trained(EXAMPLES, b -> b.batchSize(5).epochs(epochs).maxGradNorm(maxNorm).warmupSteps(2)
                .schedule(LearningRateSchedule.COSINE).weightDecay(0.1).shuffle(false).sharePrefixes(false));
        int clipped = 0;
        try (Tiny tiny = new Tiny();
                TrainingPasses passes = TrainingPasses.of(tiny.model);
                Updates optimizer = new Updates(tiny.model.engine(), tiny.model.trainableParameters(),
                        AdamW.DEFAULT, 0.1)) {
            for (int step = 0; step < 3 * epochs; step++) {
                int from = step % 3 * 5;
                List<TokenSequence> batch = EXAMPLES.subList(from, Math.min(12, from + 5));
                long supervised = batch.stream().mapToLong(TokenSequence::supervisedTokens).sum();
                passes.training(PackedBatch.of(batch), 0, pass -> pass.backward(supervised));
                double norm = optimizer.gradientNorm();
                clipped += norm > maxNorm ? 1 : 0;
                double rate = 0.01 * LearningRateSchedule.COSINE.factor(step, 2, 3 * epochs);
                // torch.nn.utils.clip_grad_norm_
                optimizer.step(rate, Math.min(1, maxNorm / (norm + 1e-6)));
            }
            assertArrayEquals(tiny.values(), actual);
        }
        assertTrue(clipped > 0, "nothing was clipped");
    }

    @Test
    void lossIsTheMeanOverTheSupervisedTokensOfTheWholeUpdate() {
        try (Tiny tiny = new Tiny(); TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            double expected = passes.evaluation(PackedBatch.of(EXAMPLES),
                    pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods())) / Tiny.weight(EXAMPLES);
            StepMetrics step = tiny.trainer().batchSize(5).gradientAccumulation(3).epochs(1)
                    .build().train(EXAMPLES).steps().get(0);
            // Sums of f32 values in another order.
            assertEquals(expected, step.trainLoss(), 1e-6 * expected);
            assertEquals(EXAMPLES.stream().mapToLong(TokenSequence::length).sum(), step.tokens());
            assertEquals(EXAMPLES.stream().mapToLong(TokenSequence::supervisedTokens).sum(), step.supervisedTokens());
        }
    }

    @Test
    void tokenWeightsCountInTheMeanLoss() {
        List<TokenSequence> weighted = EXAMPLES.stream().map(example -> {
            float[] weights = example.weights().clone();
            for (int t = 0; t < weights.length; t += 3) {
                weights[t] *= 0.5f;
            }
            return new TokenSequence(example.ids(), weights);
        }).toList();
        try (Tiny tiny = new Tiny(); TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            double expected = passes.evaluation(PackedBatch.of(weighted),
                    pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods())) / Tiny.weight(weighted);
            TrainingResult result = tiny.trainer().batchSize(12).epochs(1).validation(weighted).build()
                    .train(weighted);
            assertEquals(expected, result.steps().get(0).trainLoss(), 1e-6 * expected);
            assertEquals(expected, result.evaluations().get(0).loss(), 1e-6 * expected);
        }
    }

    @Test
    void theBaseIsBitIdenticalAfterTraining() {
        try (Tiny tiny = new Tiny()) {
            float[] base = tiny.baseWeights();
            float[] adapter = tiny.values();
            tiny.trainer().learningRate(0.1).build().train(EXAMPLES);
            assertArrayEquals(base, tiny.baseWeights());
            assertFalse(java.util.Arrays.equals(adapter, tiny.values()));
            for (float gradient : tiny.takeGradients()) {
                assertEquals(0, gradient);
            }
        }
    }

    @Test
    void trainingLearns() {
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().learningRate(0.02).epochs(60).build()
                    .train(EXAMPLES.subList(0, 4));
            assertTrue(result.finalTrainLoss().orElseThrow() < 0.5 * result.steps().get(0).trainLoss(),
                    result.toString());
        }
    }

    @Test
    void examplesKeepTheirOrderWithoutShuffling() {
        List<TokenSequence> distinct = new ArrayList<>();
        for (int length = 5; length < 17; length++) {
            distinct.add(TokenSequence.allSupervised(new SplittableRandom(length).ints(length, 0, 13).toArray()));
        }
        List<Long> lengths = distinct.stream().map(example -> (long) example.length()).toList();
        List<Long> inOrder = tokens(distinct, b -> b.shuffle(false));
        assertEquals(lengths, inOrder.subList(0, 12));
        assertEquals(lengths, inOrder.subList(12, 24));
        List<Long> shuffled = tokens(distinct, b -> b);
        assertNotEquals(lengths, shuffled.subList(0, 12));
        assertNotEquals(shuffled.subList(0, 12), shuffled.subList(12, 24));
        assertEquals(lengths, shuffled.subList(0, 12).stream().sorted().toList());
        assertEquals(lengths, shuffled.subList(12, 24).stream().sorted().toList());
        assertEquals(shuffled, tokens(distinct, b -> b));
        assertNotEquals(shuffled, tokens(distinct, b -> b.seed(1)));
    }

    /** Tokens of each update of two epochs. */
    private static List<Long> tokens(List<TokenSequence> examples, Function<TrainerBuilder, TrainerBuilder> options) {
        try (Tiny tiny = new Tiny()) {
            return options.apply(tiny.trainer().batchSize(1).epochs(2)).build().train(examples).steps()
                    .stream().map(StepMetrics::tokens).toList();
        }
    }

    @Test
    void examplesWithoutSupervisedTokensAreLeftOut() {
        List<TokenSequence> mixed = new ArrayList<>(EXAMPLES);
        mixed.add(0, Tiny.unsupervised(9));
        mixed.add(5, Tiny.unsupervised(4));
        assertArrayEquals(trained(EXAMPLES, b -> b.batchSize(2)), trained(mixed, b -> b.batchSize(2)));
        try (Tiny tiny = new Tiny()) {
            TrainingPlan plan = tiny.trainer().epochs(1).build().train(mixed).plan();
            assertEquals(12, plan.examples());
            assertEquals(2, plan.leftOut());
        }
    }

    @Test
    void untrainableModelsAreRefused() {
        try (Tiny tiny = new Tiny()) {
            Trainer trainer = tiny.trainer().build();
            assertMessage("no training examples given", () -> trainer.train(List.of()));
            assertMessage("none of the 1 training examples has supervised tokens",
                    () -> trainer.train(List.of(Tiny.unsupervised(5))));
            assertMessage("training example 2 has 65 tokens; the model's limit is 64",
                    () -> trainer.train(List.of(EXAMPLES.get(0), TokenSequence.allSupervised(new int[65]))));
            assertMessage("training example 1 has a token of weight NaN",
                    () -> trainer.train(List.of(new TokenSequence(new int[2], new float[] {0, Float.NaN}))));
            assertMessage("training example 1 has a token of weight -1.0",
                    () -> trainer.train(List.of(new TokenSequence(new int[2], new float[] {0, -1}))));
            for (int id : new int[] {-1, TinyNetwork.VOCABULARY}) {
                assertMessage("training example 1 has the token " + id + "; the model's vocabulary is 0 to 12",
                        () -> trainer.train(List.of(TokenSequence.allSupervised(1, id))));
            }
            Trainer unsupervised = tiny.trainer().validation(List.of(Tiny.unsupervised(5))).build();
            assertMessage("none of the 1 validation examples has supervised tokens",
                    () -> unsupervised.train(EXAMPLES));
            assertMessage("none of the 1 validation examples has supervised tokens", unsupervised::validationLoss);
            tiny.model.activate();
            assertMessage("there is nothing to train: no adapter is active", () -> trainer.train(EXAMPLES));
        }
    }

    @Test
    void anAdapterWithoutGradientsIsRefused() {
        try (Tiny tiny = new Tiny()) {
            tiny.model.trainableParameters().forEach(parameter -> Arrays.clear(parameter.value()));
            assertMessage("no gradient reaches any of the", () -> tiny.trainer().build().train(EXAMPLES));
        }
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        try (Tiny tiny = new Tiny()) {
            assertMessage("the number of epochs is 0; it must be at least 1",
                    () -> tiny.trainer().epochs(0).build());
            for (TrainerBuilder wrong : List.of(tiny.trainer().batchSize(0),
                    tiny.trainer().gradientAccumulation(0),
                    tiny.trainer().learningRate(0),
                    tiny.trainer().learningRate(-1e-4),
                    tiny.trainer().learningRate(1.5),
                    tiny.trainer().learningRate(Double.NaN),
                    tiny.trainer().learningRate(0.01).weightDecay(100),
                    tiny.trainer().warmupSteps(-1),
                    tiny.trainer().weightDecay(-0.1),
                    tiny.trainer().maxGradNorm(-1),
                    tiny.trainer().checkpointEverySteps(-1),
                    tiny.trainer().keepCheckpoints(1),
                    tiny.trainer().maxLength(65),
                    tiny.trainer().maxLength(0))) {
                assertThrows(ConfigurationException.class, wrong::build);
            }
        }
    }

    @Test
    void aNanLossStopsTheTrainingBeforeTheUpdate() {
        try (Tiny tiny = new Tiny()) {
            Parameter parameter = tiny.model.trainableParameters().get(0);
            List<float[]> before = new ArrayList<>();
            TrainingListener breaking = new TrainingListener() {
                @Override
                public void onStep(StepMetrics metrics) {
                    if (metrics.step() == 2) {
                        Arrays.write(parameter.value(), 0, new float[] {Float.NaN}, 0, 1);
                        before.add(tiny.values());
                    }
                }
            };
            assertMessage("update 3 gave the loss NaN", () -> tiny.trainer().listener(breaking).build()
                    .train(EXAMPLES));
            assertArrayEquals(before.get(0), tiny.values());
            for (float gradient : tiny.takeGradients()) {
                assertEquals(0, gradient, "something is left for the next training");
            }
        }
    }

    @Test
    void validationLossIsTheObjectiveBeforeAndAfterEachEpoch() {
        List<TokenSequence> held = Tiny.examples(7, 2);
        List<String> told = new ArrayList<>();
        try (Tiny tiny = new Tiny(); TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            double before = passes.evaluation(PackedBatch.of(held),
                    pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods())) / Tiny.weight(held);
            TrainingResult result = tiny.trainer().learningRate(0.01).epochs(2).batchSize(5)
                    .validation(held).listener(new TrainingListener() {
                        @Override
                        public void onEvaluation(long step, double epoch, double evalLoss) {
                            told.add(step + " " + epoch + " " + evalLoss);
                        }
                    }).build().train(EXAMPLES);
            double after = passes.evaluation(PackedBatch.of(held),
                    pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods())) / Tiny.weight(held);
            List<TrainingResult.Evaluation> evaluations = result.evaluations();
            assertEquals(List.of(0L, 3L, 6L), evaluations.stream().map(TrainingResult.Evaluation::step).toList());
            assertEquals(List.of(0.0, 1.0, 2.0), evaluations.stream().map(TrainingResult.Evaluation::epoch).toList());
            // Sums of f32 values in another order.
            assertEquals(before, evaluations.get(0).loss(), 1e-6 * before);
            assertEquals(after, result.finalEvalLoss().orElseThrow(), 1e-6 * after);
            assertEquals(evaluations.stream().map(e -> e.step() + " " + e.epoch() + " " + e.loss()).toList(), told);
        }
    }

    @Test
    void progressCanBeComputedFromPlanAndSteps() {
        List<TrainingPlan> plans = new ArrayList<>();
        List<TrainingResult> ends = new ArrayList<>();
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().epochs(2).batchSize(5).listener(new TrainingListener() {
                @Override
                public void onStart(TrainingPlan plan) {
                    plans.add(plan);
                }

                @Override
                public void onEnd(TrainingResult end) {
                    ends.add(end);
                }
            }).build().train(EXAMPLES);
            long tokens = EXAMPLES.stream().mapToLong(TokenSequence::length).sum();
            long supervised = EXAMPLES.stream().mapToLong(TokenSequence::supervisedTokens).sum();
            assertEquals(List.of(new TrainingPlan(12, 0, tokens, supervised, 3, 6, 0,
                    tiny.model.trainableParameterCount(), result.plan().settings(), "")), plans);
            assertEquals(plans.get(0), result.plan());
            assertEquals(List.of(result), ends);
            assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L), result.steps().stream().map(StepMetrics::step).toList());
            double[] epochs = result.steps().stream().mapToDouble(StepMetrics::epoch).toArray();
            assertArrayEquals(new double[] {5 / 12.0, 10 / 12.0, 1, 17 / 12.0, 22 / 12.0, 2}, epochs, 1e-12);
            assertTrue(result.steps().get(0).secondsLeft() > 0);
            assertEquals(0, result.steps().get(5).secondsLeft());
            assertTrue(result.toString().matches("trained 6 of 6 steps in \\d+\\.\\d s \\(\\d+ tokens/s\\), "
                    + "loss \\d\\.\\d{4} -> \\d\\.\\d{4}, \\d+ of 12 rows learned after 2.0 epochs.*"),
                    result.toString());
        }
    }

    @Test
    void conversationsAreEncodedAndOverlongOnesLeftOut() {
        ChatExample ask = ChatExample.of(ChatMessage.user("a"), ChatMessage.assistant("b"));
        ChatExample tell = ChatExample.of(ChatMessage.user("b"), ChatMessage.assistant("aa a"));
        ChatExample tooLong = ChatExample.of(ChatMessage.user("a"), ChatMessage.assistant("b b b b b b b b b b b b"));
        ChatDataset dataset = ChatDataset.of(List.of(ask, tooLong, tell));
        try (Tiny tiny = new Tiny(); Tiny same = new Tiny()) {
            TrainingResult result = tiny.trainer().learningRate(0.01).maxLength(20)
                    .validation(ChatDataset.of(List.of(tell, tooLong))).build().train(dataset);
            assertEquals(2, result.plan().examples());
            assertEquals(1, result.plan().leftOut());
            ChatEncoder encoder = new ChatEncoder(same.base.tokenizer(), same.base.chatTemplate().orElseThrow());
            // Ids are given in the order in which tokens come up, so the dropped one has to come up here, too.
            List<TokenSequence> sequences = encoder.encode(dataset, 20).sequences();
            TrainingResult expected = same.trainer().learningRate(0.01)
                    .validation(List.of(sequences.get(1))).build().train(sequences);
            assertArrayEquals(same.values(), tiny.values());
            assertEquals(expected.evaluations(), result.evaluations());
            TrainingResult everything = same.trainer().masking(Masking.ALL).epochs(1).build()
                    .train(ChatDataset.of(List.of(ask, tell)));
            assertEquals(everything.plan().tokens() - 2, everything.plan().supervisedTokens(), "all but the first");
            assertMessage("all examples (1) are longer than 20 tokens", () -> tiny.trainer().maxLength(20)
                    .build().train(ChatDataset.of(List.of(tooLong))));
        }
    }

    private static void assertMessage(String begin, Runnable action) {
        ConfigurationException e = assertThrows(ConfigurationException.class, action::run);
        assertTrue(e.getMessage().startsWith(begin), e.getMessage());
    }
}
