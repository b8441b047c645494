package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.objective.OrpoObjective;
import io.peft4j.train.objective.SimpoObjective;
import io.peft4j.train.optimizer.Optimizer;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Several objectives at once: the weighted sum of their losses and gradients, each over batches of its own data. */
class MixedObjectiveTest {
    private static final double WEIGHT = 0.25;

    private static List<PreferenceExample> pairs(int count) {
        return IntStream.range(0, count).mapToObj(i -> PreferenceExample.of("a".concat(" b".repeat(i % 3)),
                "c".concat(" a".repeat(i % 4)), "b c".concat(" b".repeat(i % 2)))).toList();
    }

    private static List<ChatExample> chats(int count) {
        return IntStream.range(0, count).mapToObj(i -> ChatExample.of(ChatMessage.user("b".concat(" a".repeat(i % 3))),
                ChatMessage.assistant("a".concat(" c".repeat(i % 4))))).toList();
    }

    private static MixedObjective mix(Tiny tiny) {
        return MixedObjective.of(new DpoObjective(tiny.model), pairs(9)).and(WEIGHT, new ChatObjective(tiny.model),
                chats(7));
    }

    /** Plain gradient descent, whose steps are the gradients. */
    private static TrainerBuilder trainer(Tiny tiny) {
        return tiny.trainer().batchSize(2).gradientAccumulation(2).learningRate(1).maxGradNorm(0)
                .schedule(LearningRateSchedule.CONSTANT).seed(3)
                .optimizer(Optimizer.named("sgd"));
    }

    /** The moves of a training of one update, and what it says. */
    private record Update(float[] moves, TrainingResult result) {
        static Update of(Function<Tiny, TrainingResult> training) {
            try (Tiny tiny = new Tiny()) {
                // The tokenizer numbers words as they come.
                mix(tiny).examples().forEach(mix(tiny)::encode);
                float[] before = tiny.values();
                TrainingResult result = training.apply(tiny);
                float[] moves = tiny.values();
                for (int i = 0; i < moves.length; i++) {
                    moves[i] -= before[i];
                }
                return new Update(moves, result);
            }
        }

        double loss() {
            return result.steps().get(0).trainLoss();
        }
    }

    private static TrainerBuilder once(Tiny tiny) {
        return trainer(tiny).maxSteps(1);
    }

    @Test
    void lossAndGradientAreTheWeightedSumOfThoseOfEachAlone() {
        Update dpo = Update.of(tiny -> once(tiny).build().train(new DpoObjective(tiny.model), pairs(9)));
        Update chat = Update.of(tiny -> once(tiny).build().train(new ChatObjective(tiny.model), chats(7)));
        Update both = Update.of(tiny -> once(tiny).build().train(mix(tiny)));

        StepMetrics step = both.result().steps().get(0);
        assertEquals(dpo.loss(), step.measures().get("dpo/loss"), 1e-7);
        assertEquals(chat.loss(), step.measures().get("sft/loss"), 1e-7);
        assertEquals(dpo.result().steps().get(0).measures().get("rewards/margins"),
                step.measures().get("dpo/rewards/margins"), 1e-7);
        assertEquals(dpo.loss() + WEIGHT * chat.loss(), both.loss(), 1e-7);
        float[] expected = dpo.moves().clone();
        for (int i = 0; i < expected.length; i++) {
            expected[i] += (float) (WEIGHT * chat.moves()[i]);
        }
        assertTrue(Tiny.distance(expected, both.moves()) < 1e-6);
    }

    @Test
    void epochsAreThoseOfTheFirstAndTheOthersBeginAnew() {
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = trainer(tiny).learningRate(1e-3).epochs(2).build().train(
                    MixedObjective.of(new DpoObjective(tiny.model), pairs(9)).and(1, new ChatObjective(tiny.model),
                            chats(3)));

            assertEquals(6, result.steps().size());
            assertEquals(2, result.steps().get(5).epoch());
            assertEquals(8 / 9.0, result.steps().get(1).epoch(), 1e-12);
            assertEquals(12, result.plan().examples());
        }
    }

    @Test
    void theLossOnValidationDataIsTheSumForThoseThatHaveSome() {
        try (Tiny tiny = new Tiny()) {
            MixedObjective mix = new MixedObjective(List.of(
                    new MixedObjective.Part<>(new DpoObjective(tiny.model), 1, pairs(5), pairs(3)),
                    new MixedObjective.Part<>(new ChatObjective(tiny.model), WEIGHT, chats(5), chats(3)),
                    new MixedObjective.Part<>(new ChatObjective(tiny.model), 7, chats(4), List.of())));
            TrainingResult result = trainer(tiny).epochs(1).learningRate(1e-3).build().train(mix);

            TrainingResult.Evaluation last = result.evaluations().get(1);
            assertEquals(last.measures().get("dpo/loss") + WEIGHT * last.measures().get("sft/loss"), last.loss(), 1e-9);
            assertTrue(result.steps().get(0).measures().containsKey("sft-2/loss"));
            assertTrue(mix.settings().containsKey("sft-2.weight"), mix.settings().toString());
        }
    }

    @Test
    void itsTimeIsEstimatedAsThatOfAnyObjective() {
        try (Tiny tiny = new Tiny()) {
            float[] before = tiny.values();
            MixedObjective mix = mix(tiny);
            TrainingEstimate estimate = trainer(tiny).epochs(2).build().estimate(mix, mix.examples(), mix.held());

            assertEquals(6, estimate.updates());
            assertTrue(estimate.seconds() > 0);
            assertArrayEquals(before, tiny.values());
        }
    }

    @Test
    void weightsBelowZeroMissingExamplesAndUnknownSmoothingAreRefused() {
        try (Tiny tiny = new Tiny()) {
            MixedObjective mix = mix(tiny);
            for (Runnable wrong : List.<Runnable>of(
                    () -> mix.and(0, new ChatObjective(tiny.model), chats(2)),
                    () -> mix.and(1, new ChatObjective(tiny.model), List.of()),
                    () -> mix.and(1, new OrpoObjective(tiny.model), pairs(2))
                            .withLabelSmoothing(0.1),
                    () -> new MixedObjective(List.of()))) {
                assertThrows(ConfigurationException.class, wrong::run);
            }
            assertEquals("dpo+sft+simpo", mix.and(1, new SimpoObjective(tiny.model), pairs(2)).name());
        }
    }
}
