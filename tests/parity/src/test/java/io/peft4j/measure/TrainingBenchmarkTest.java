package io.peft4j.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.measure.LinearWork;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingMeasurement;
import io.peft4j.train.TrainingResult;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A measured training is the trainer's own, and its figures hang together. */
class TrainingBenchmarkTest {
    private static final Path TINY = Path.of("../../tests/fixtures", "tiny-llama");
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).alpha(8)
            .targetModules(TargetModules.ALL_LINEAR).build();

    private static BaseModel base;

    @BeforeAll
    static void load() {
        base = BaseModel.load(TINY.toString());
    }

    @AfterAll
    static void close() {
        base.close();
    }

    /** Three layers of hidden size 32 with 4 query and 2 key/value heads of 8, inner size 64, vocabulary 384. */
    @Test
    void theWorkOfFrozenLayersIsCounted() {
        LinearWork work = LinearWork.of(base.network());
        long layer = 32 * 32 + 2 * 16 * 32 + 32 * 32 + 3 * 32 * 64;
        assertEquals(3 * layer, work.parameters());
        assertEquals(384 * 32, work.headParameters());
        assertEquals((3 * layer + 384 * 32) * base.network().description().activationType().width(), work.bytes());
        assertEquals(4.0 * (3 * layer * 10 + 384 * 32 * 7), work.trainingFlops(10, 7));
    }

    /** Two updates an epoch, of two examples and of one; the last of five updates is the first of the third epoch. */
    @Test
    void measuresTheTrainersOwnUpdates() {
        try (PeftModel measured = base.withAdapter(LORA); PeftModel trained = base.withAdapter(LORA)) {
            List<TokenSequence> examples = TrainingBenchmark.randomExamples(base, 3, 20, 5);
            TrainingMeasurement m = new TrainingBenchmark(measured, examples, 2, 2, 3).run();
            TrainingResult same = Trainer.builder(trained).epochs(3).batchSize(2).shuffle(false).learningRate(1e-4)
                    .schedule(LearningRateSchedule.CONSTANT).build().train(examples);
            assertEquals(same.steps().get(4).trainLoss(), m.loss());
            // Only rounding is between the two.
            assertEquals(20, m.tokensPerSecond() / m.examplesPerSecond(), 1e-9);
            double flops = 19.0 / 20 * 4 * LinearWork.of(base.network()).headParameters()
                    + 4.0 * LinearWork.of(base.network()).parameters();
            assertEquals(m.tokensPerSecond() * flops / 1e9, m.shareOfLimit() * m.matmulGflops(), 1e-9);
            assertTrue(m.stepSeconds() > 0 && m.stepSeconds() < m.firstStepSeconds(), m.toString());
            assertTrue(m.allocatedBytesPerStep().orElseThrow() > 0, m.toString());
        }
    }

    @Test
    void invalidMeasurementsAreRefused() {
        assertThrows(ConfigurationException.class, () -> TrainingBenchmark.randomExamples(base, 1, 1, 0));
        assertThrows(ConfigurationException.class, () -> TrainingBenchmark.randomExamples(base, 1, 257, 0));
        try (PeftModel model = base.withAdapter(LORA)) {
            List<TokenSequence> examples = TrainingBenchmark.randomExamples(base, 1, 20, 5);
            assertThrows(ConfigurationException.class, () -> new TrainingBenchmark(model, examples, 1, 0, 1));
            assertThrows(ConfigurationException.class, () -> new TrainingBenchmark(model, List.of(), 1, 1, 1));
        }
    }
}
