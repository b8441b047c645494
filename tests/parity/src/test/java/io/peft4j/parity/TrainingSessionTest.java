package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.TokenLoss;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingSession;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The parts of a training, and loops that are made of them. */
class TrainingSessionTest {
    private static final List<TokenSequence> BATCH = List.of(TokenSequence.allSupervised(5, 9, 7, 12, 4),
            TokenSequence.allSupervised(5, 9, 3));

    private static PeftModel model() {
        return PeftModel.load(KernelsUnderTest.sharedNaive("tiny-llama"), Fixtures.adapter("lora"));
    }

    private static double sum(float[][] values) {
        return Arrays.stream(values).mapToDouble(row -> {
            double sum = 0;
            for (float value : row) {
                sum += value;
            }
            return sum;
        }).sum();
    }

    @Test
    void crossEntropyIsTheTrainersOwn() {
        double[] expected;
        try (PeftModel model = model()) {
            expected = Trainer.builder(model).epochs(3).batchSize(2).learningRate(1e-3).shuffle(false)
                    .schedule(LearningRateSchedule.CONSTANT).build().train(BATCH).steps().stream()
                    .mapToDouble(step -> step.trainLoss()).toArray();
        }
        try (PeftModel model = model(); TrainingSession session = TrainingSession.of(model)) {
            double[] found = new double[3];
            for (int i = 0; i < 3; i++) {
                found[i] = session.forwardBackward(BATCH, TokenLoss.crossEntropy());
                session.step(1e-3);
            }
            // The same terms in another order of summation.
            assertArrayEquals(expected, found, 1e-5);
        }
    }

    @Test
    void aLoadedSessionGoesOnBitForBit(@TempDir Path folder) {
        try (PeftModel model = model(); TrainingSession session = TrainingSession.of(model)) {
            session.forwardBackward(BATCH, TokenLoss.crossEntropy());
            session.step(1e-2);
            session.save(folder);
            session.forwardBackward(BATCH, TokenLoss.crossEntropy());
            session.step(1e-2);
            float[][] expected = session.logProbabilities(BATCH);
            session.load(folder);
            assertEquals(1, session.steps());
            session.forwardBackward(BATCH, TokenLoss.crossEntropy());
            session.step(1e-2);
            assertArrayEquals(expected, session.logProbabilities(BATCH));
        }
    }

    @Test
    void lossesOfRatiosMoveProbabilitiesByTheirAdvantages() {
        try (PeftModel model = model(); TrainingSession session = TrainingSession.of(model)) {
            float[][] before = session.logProbabilities(BATCH);
            double loss = session.forwardBackward(BATCH, TokenLoss.importanceSampling(before, 1, -0.5));
            // Four tokens of the first sequence and two of the second, all at the ratio 1.
            assertEquals(-4 + 2 * 0.5, loss, 1e-5);
            session.step(1e-2);
            float[][] after = session.logProbabilities(BATCH);
            assertTrue(sum(new float[][] {after[0]}) > sum(new float[][] {before[0]}));
        }
    }

    @Test
    void ppoClipsWhatHasMovedFarEnough() {
        float[][] now = {{-1f, -1f}};
        float[][] gradient = new float[1][2];
        float[][] sampled = {{-2f, -1f}};
        double loss = TokenLoss.ppo(sampled, new double[] {1}, 0.2, 0.3).compute(now, gradient);
        assertEquals(-1.3 - 1, loss, 1e-6);
        assertArrayEquals(new float[] {0, -1}, gradient[0], 1e-6f);
        double worse = TokenLoss.ppo(sampled, new double[] {-1}, 0.2, 0.3).compute(now, gradient);
        assertEquals(Math.E + 1, worse, 1e-6);
        assertArrayEquals(new float[] {(float) Math.E, 1}, gradient[0], 1e-5f);
    }

    /** Learns its own best answers: those with the most tokens of a kind. */
    @Test
    void expertIterationIsALoopOfSamplesAndCrossEntropy() {
        Prompt prompt = Prompt.tokens(5, 9);
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(6).withAnswers(12);
        try (PeftModel model = model(); TrainingSession session = TrainingSession.of(model)) {
            double first = 0;
            double last = 0;
            for (int round = 0; round < 25; round++) {
                List<Completion> answers = session.sample(List.of(prompt), options.withSampling(Sampling.of(1, round)));
                last = answers.stream().mapToDouble(TrainingSessionTest::even).average().orElseThrow();
                first = round == 0 ? last : first;
                Completion best = answers.stream().max((a, b) -> Double.compare(even(a), even(b))).orElseThrow();
                int[] ids = Arrays.copyOf(new int[] {5, 9}, 2 + best.ids().length);
                System.arraycopy(best.ids(), 0, ids, 2, best.ids().length);
                session.forwardBackward(List.of(TokenSequence.allSupervised(ids)), TokenLoss.crossEntropy());
                session.step(1e-2);
            }
            assertTrue(last > first + 0.1, first + " to " + last);
        }
    }

    private static double even(Completion answer) {
        return Arrays.stream(answer.ids()).filter(id -> id % 2 == 0).count() / (double) answer.ids().length;
    }

    @Test
    void twoAdaptersAreTrainedInTurnOnOneBase() {
        try (PeftModel one = model();
                PeftModel other = model();
                TrainingSession first = TrainingSession.of(one);
                TrainingSession second = TrainingSession.of(other)) {
            float[][] untouched = second.logProbabilities(BATCH);
            first.forwardBackward(BATCH, TokenLoss.crossEntropy());
            first.step(1e-2);
            assertArrayEquals(untouched, second.logProbabilities(BATCH));
            second.forwardBackward(BATCH, (values, gradient) -> {
                // An own loss: makes everything less likely.
                for (float[] row : gradient) {
                    Arrays.fill(row, 1);
                }
                return sum(values);
            });
            second.step(1e-2);
            assertNotEquals(sum(untouched), sum(second.logProbabilities(BATCH)));
            assertTrue(sum(second.logProbabilities(BATCH)) < sum(first.logProbabilities(BATCH)));
        }
    }
}
