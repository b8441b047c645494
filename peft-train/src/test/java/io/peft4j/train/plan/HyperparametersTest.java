package io.peft4j.train.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.AdaLoraConfig;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.VeraConfig;
import io.peft4j.lora.init.LoraInit;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** What the rules choose, with the reasons that they give. */
class HyperparametersTest {
    private static final ModelDescription SMOL = model(576, 30, 135_000_000);
    private static final DataFacts HANDBOOK = new DataFacts(176, 8_000, 70, 4_400);

    private static ModelDescription model(int hidden, int layers, long parameters) {
        return new ModelDescription("m", "llama", 1000, hidden, layers, 2048, true, DataType.BFLOAT16, parameters);
    }

    @Test
    void aHandbookIsSeenOftenEnoughToBeLearned() {
        Hyperparameters chosen = Hyperparameters.auto(HANDBOOK, SMOL);
        assertEquals(8, chosen.batchSize());
        assertEquals(1, chosen.gradientAccumulation());
        assertEquals(24, chosen.epochs(), "three times the usual 8");
        assertEquals(0.8, chosen.learnedShare());
        assertEquals(1.3e-3, chosen.learningRate());
        assertEquals(16, chosen.rank());
        assertEquals(32, chosen.alpha());
        assertEquals(0, chosen.firstLayer());
        assertEquals(22 * 24, chosen.updates());
        assertEquals(8, chosen.warmupSteps(), "a twentieth of the usual updates");
        assertTrue(chosen.reasons().get("batch_size").startsWith("8: 176 rows"), chosen.reasons().toString());
    }

    @Test
    void fewRowsGetSmallBatchesAndMoreEpochs() {
        Hyperparameters chosen = Hyperparameters.auto(new DataFacts(40, 2_000, 80, 800), SMOL);
        assertEquals(4, chosen.batchSize());
        assertEquals(36, chosen.epochs());
        assertEquals(360, chosen.updates());
        assertEquals("at most 36: until 80 % of the rows are learned, or nothing improves", chosen.reasons()
                .get("epochs"));
    }

    /** What must know its end from the beginning has as many epochs as are usual. */
    @Test
    void whereTheRowsCannotDecideTheEpochsAreTheUsualOnes() {
        Hyperparameters chosen = Hyperparameters.choosing(HANDBOOK, SMOL).learnedShare(0).choose();
        assertEquals(8, chosen.epochs());
        assertEquals("8: 176 rows", chosen.reasons().get("epochs"));
        assertEquals(0, chosen.learnedShare());
        assertEquals(0, Hyperparameters.choosing(HANDBOOK, SMOL).epochs(3).choose().learnedShare());
        assertEquals(8, Hyperparameters.choosing(HANDBOOK, SMOL).method(AdaLoraConfig.builder().build()).choose()
                .epochs(), "its schedule counts updates");
        Hyperparameters given = Hyperparameters.choosing(HANDBOOK, SMOL).epochs(30).learnedShare(0.9).choose();
        assertEquals(30, given.epochs());
        assertEquals(0.9, given.learnedShare());
    }

    @Test
    void fewerLayersGetHigherLearningRates() {
        Hyperparameters chosen = Hyperparameters.choosing(HANDBOOK, SMOL).firstLayer(24).choose();
        assertEquals(3e-3, chosen.learningRate());
        assertTrue(chosen.reasons().get("learning_rate").contains("6 of 30 layers have to change more"),
                chosen.reasons().toString());
        assertEquals(5e-3, Hyperparameters.choosing(HANDBOOK, SMOL).firstLayer(29).choose().learningRate());
    }

    @Test
    void manyRowsAreSeenOnceOrTwiceInLargeBatches() {
        Hyperparameters some = Hyperparameters.auto(new DataFacts(10_000, 500_000, 300, 300_000), SMOL);
        assertEquals(4, some.epochs());
        assertEquals(16, some.batchSize() * some.gradientAccumulation());
        assertEquals(32, some.rank());
        Hyperparameters many = Hyperparameters.auto(new DataFacts(100_000, 5_000_000, 300, 3_000_000), SMOL);
        assertEquals(1, many.epochs());
        assertEquals(32, many.batchSize() * many.gradientAccumulation());
        assertEquals(64, many.rank());
    }

    @Test
    void longRowsAreAccumulated() {
        Hyperparameters chosen = Hyperparameters.auto(new DataFacts(500, 500_000, 2_000, 100_000), SMOL);
        assertEquals(2, chosen.batchSize());
        assertEquals(4, chosen.gradientAccumulation());
        assertEquals(18, chosen.epochs());
        assertTrue(chosen.reasons().get("batch_size").contains("1000 tokens on average"));
    }

    @Test
    void littleMemoryMakesForwardPassesSmallerAndKeepsTheBatch() {
        DataFacts data = new DataFacts(176, 30_000, 1_000, 4_400);
        Hyperparameters chosen = Hyperparameters.choosing(data, SMOL).memoryBytes(1_500_000_000).choose();
        assertEquals(1, chosen.batchSize());
        assertEquals(8, chosen.gradientAccumulation());
        assertTrue(chosen.reasons().get("batch_size").contains("MB"), chosen.reasons().toString());
    }

    @Test
    void wideModelsGetLowerLearningRates() {
        assertEquals(2.9e-4, Hyperparameters.auto(HANDBOOK, model(4096, 32, 8_000_000_000L)).learningRate());
        assertEquals(5e-3, Hyperparameters.auto(HANDBOOK, model(32, 2, 100_000)).learningRate());
        assertEquals(2.6e-3, Hyperparameters.choosing(HANDBOOK, SMOL).learningRateMultiplier(2).choose()
                .learningRate());
    }

    @Test
    void noRateIsAboveOneAndItsReasonSaysSo() {
        Hyperparameters chosen = Hyperparameters.choosing(HANDBOOK, SMOL).learningRateMultiplier(1e6).choose();
        assertEquals(1, chosen.learningRate());
        String reason = chosen.reasons().get("learning_rate");
        assertTrue(reason.startsWith("1.0: ") && reason.endsWith("times the given 1000000.0, but at most 1"), reason);
    }

    @Test
    void whereTimeIsShortUpperLayersComeBeforeFewerEpochs() {
        // 8,000 tokens at 500 a second: 16 s an epoch, 128 s for the usual 8.
        Hyperparameters enough = Hyperparameters.choosing(HANDBOOK, SMOL).timeBudget(Duration.ofSeconds(200), 500)
                .choose();
        assertEquals(0, enough.firstLayer());
        Hyperparameters upper = Hyperparameters.choosing(HANDBOOK, SMOL).timeBudget(Duration.ofSeconds(120), 500)
                .choose();
        assertEquals(18, upper.firstLayer());
        assertEquals(11, upper.epochs());
        Hyperparameters less = Hyperparameters.choosing(HANDBOOK, SMOL).timeBudget(Duration.ofSeconds(30), 500)
                .choose();
        assertEquals(2, less.epochs());
        assertTrue(less.reasons().get("epochs").startsWith("2: one takes 10 s"), less.reasons().toString());
    }

    @Test
    void whatIsGivenIsKept() {
        Hyperparameters chosen = Hyperparameters.choosing(HANDBOOK, SMOL).batchSize(3).epochs(2).rank(5)
                .learningRate(1e-4).firstLayer(4).choose();
        assertEquals(3, chosen.batchSize());
        assertEquals(1, chosen.gradientAccumulation());
        assertEquals(2, chosen.epochs());
        assertEquals(5, chosen.rank());
        assertEquals(1e-4, chosen.learningRate());
        assertEquals(4, chosen.firstLayer());
        assertEquals("3: given", chosen.reasons().get("batch_size"));
    }

    @Test
    void theRateIsThatOfTheMethod() {
        assertEquals(1.3e-3, rate(LoraConfig.builder().rank(16).alpha(32).build()));
        assertEquals(6.6e-4, rate(LoraConfig.builder().rank(16).alpha(32).rsLora(true).build()));
        assertEquals(6.6e-4, rate(LoraConfig.builder().rank(16).alpha(32).initialization(LoraInit.PISSA).build()));
        assertEquals(1.3e-2, rate(VeraConfig.builder().build()));
        Hyperparameters chosen = Hyperparameters.choosing(HANDBOOK, SMOL).method(VeraConfig.builder().build())
                .choose();
        assertTrue(chosen.reasons().get("learning_rate").endsWith(", times 10 for VERA"), chosen.reasons().toString());
    }

    private static double rate(PeftConfig config) {
        return Hyperparameters.choosing(HANDBOOK, SMOL).method(config).choose().learningRate();
    }

    @Test
    void aGivenRateHasNoWarmUpAndFewUpdatesAShortOne() {
        assertEquals(0, Hyperparameters.choosing(HANDBOOK, SMOL).learningRate(1e-3).choose().warmupSteps());
        assertEquals(2, Hyperparameters.choosing(HANDBOOK, SMOL).mostUpdates(40).choose().warmupSteps());
        assertEquals(5, Hyperparameters.choosing(HANDBOOK, SMOL).learningRate(1e-3).warmupSteps(5).choose()
                .warmupSteps());
    }

    @Test
    void theSummaryTellsWhatWasChosenAlone() {
        String summary = Hyperparameters.choosing(HANDBOOK, SMOL).batchSize(8).epochs(2).choose().summary();
        assertEquals("learning rate 0.0013 (hidden size 576; narrower models bear more), "
                + "warmup steps 2 (a twentieth of the 44 updates, at most 20)", summary);
        assertEquals("", Hyperparameters.choosing(HANDBOOK, SMOL).batchSize(8).epochs(2).learningRate(1e-3).choose()
                .summary());
    }

    @Test
    void nonsenseIsRefused() {
        assertThrows(ConfigurationException.class, () -> new DataFacts(0, 0, 0, 0));
        assertThrows(ConfigurationException.class, () -> Hyperparameters.choosing(HANDBOOK, SMOL).batchSize(0));
        assertThrows(ConfigurationException.class,
                () -> Hyperparameters.choosing(HANDBOOK, SMOL).learningRateMultiplier(Double.NaN));
    }
}
