package io.peft4j.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.methods.OftConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Which layers get an adapter, and what is said where that cannot be. */
class PlacementTest {
    private final MultiLayerNetwork base = network();

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().seed(3)
                .updater(new Adam(0.01)).list()
                .layer(new EmbeddingSequenceLayer.Builder().name("words").nOut(4).inputLength(3).build())
                .layer(new LastTimeStep(new LSTM.Builder().name("reader").nOut(5).build()))
                .layer(new DenseLayer.Builder().name("hidden").nOut(6).build())
                .layer(new BatchNormalization.Builder().name("norm").build())
                .layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).name("out").nOut(2)
                        .activation(Activation.SOFTMAX).build())
                .setInputType(InputType.recurrent(7, 3)).build());
        network.init();
        return network;
    }

    private static LoraConfigBuilder lora(String... targets) {
        return LoraConfig.builder().rank(2).targetModules(targets);
    }

    private List<String> adapted(PeftConfig config) {
        return Stream.of(Dl4jAdapters.withAdapter(base, config).getLayerWiseConfigurations().getConfs())
                .flatMap(List::stream).map(NeuralNetConfiguration::getLayer).filter(AdaptedLayer.class::isInstance)
                .flatMap(layer -> ((AdaptedLayer) layer).getAdapted().values().stream()).toList();
    }

    private String refusal(Class<? extends PeftException> type, PeftConfig config) {
        return assertThrows(type, () -> Dl4jAdapters.withAdapter(base, config)).getMessage();
    }

    @Test
    void theNameOfALayerMeansAllOfItsWeights() {
        assertEquals(List.of("reader.W", "reader.RW", "hidden"), adapted(lora("reader", "hidden").build()));
    }

    @Test
    void aWeightHasANameOfItsOwn() {
        assertEquals(List.of("reader.RW"), adapted(lora("reader.RW").build()));
        assertEquals(List.of("reader.RW"), adapted(lora("reader").excludeModules("reader.W").build()));
    }

    @Test
    void targetsMayBeAnExpression() {
        LoraConfig config = lora().targetModules(TargetModules.regex("hidden|out")).build();

        assertEquals(List.of("hidden", "out"), adapted(config));
    }

    @Test
    void allLinearLeavesEmbeddingsAndOutputs() {
        LoraConfig config = lora().targetModules(TargetModules.ALL_LINEAR).build();

        assertEquals(List.of("reader.W", "reader.RW", "hidden"), adapted(config));
        assertEquals(TargetModules.of("reader", "hidden"),
                Dl4jAdapters.config(Dl4jAdapters.withAdapter(base, config)).targetModules());
    }

    @Test
    void aWrongNameIsAnsweredWithTheNearest() {
        assertEquals("target_modules: 'hiden' matches no layer; the nearest layers are [hidden, reader, reader.RW]",
                refusal(TargetModuleException.class, lora("hiden").build()));
    }

    @Test
    void layersOfOtherKindsAreRefused() {
        String message = refusal(TargetModuleException.class, lora("hidden", "norm").build());

        assertTrue(message.contains("of a kind that this method cannot adapt: [norm (BatchNormalization)]"), message);
    }

    @Test
    void thereAreNoDefaultTargets() {
        assertEquals("no default target modules for networks of DeepLearning4J; set target_modules, or use "
                + "'all-linear'", refusal(TargetModuleException.class, LoraConfig.builder().build()));
    }

    @Test
    void aLayerToBeTrainedAsAWholeMustBeThere() {
        assertEquals("modules_to_save: 'output' matches no layer with parameters; the nearest layers are [out, hidden, "
                + "norm]", refusal(ConfigurationException.class, lora("hidden").modulesToSave("output").build()));
    }

    @Test
    void whatDoesNotWorkHereIsNamed() {
        LoraConfigBuilder lora = lora("hidden");
        Map<PeftConfig, String> refused = Map.of(
                lora.build().toBuilder().dropout(0.1).build(), "lora_dropout is 0.1",
                lora.build().toBuilder().initialization(LoraInit.PISSA).build(), "init_lora_weights is \"pissa\"",
                lora.build().toBuilder().bias(Bias.ALL).build(), "bias does not work",
                lora.build().toBuilder().loraBias(true).build(), "lora_bias does not work",
                lora.build().toBuilder().rankPattern(Map.of("nothing", 4)).build(), "rank_pattern: [nothing] match",
                OftConfig.builder().targetModules("hidden").build(), "method OFT does not run on networks of "
                        + "DeepLearning4J; use one of [LORA, IA3]");

        refused.forEach((config, part) -> {
            String message = refusal(ConfigurationException.class, config);
            assertTrue(message.contains(part), message);
        });
    }

    @Test
    void aNetworkHasOneAdapter() {
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, lora("hidden").build());

        assertThrows(ConfigurationException.class, () -> Dl4jAdapters.withAdapter(adapted, lora("hidden").build()));
        assertThrows(ConfigurationException.class, () -> Dl4jAdapters.merge(base));
    }

    @Test
    void parametersAreCounted() {
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, lora("hidden").modulesToSave("out").build());

        long all = base.numParams() + 2 * (5 + 6);
        assertEquals(String.format("trainable params: 36 || all params: %d || trainable%%: %.4f", all, 3600.0 / all),
                Dl4jAdapters.trainableSummary(adapted));
    }
}
