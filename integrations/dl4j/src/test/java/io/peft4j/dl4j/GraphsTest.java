package io.peft4j.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.lora.LoraConfig;
import io.peft4j.methods.Ia3Config;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Graphs, and the content of the files. */
class GraphsTest {
    @TempDir
    private Path folder;

    private static ComputationGraph graph(long seed) {
        ComputationGraphConfiguration conf = new NeuralNetConfiguration.Builder().seed(seed).updater(new Adam(0.05))
                .activation(Activation.TANH).graphBuilder().addInputs("image", "word")
                .addLayer("conv_1", new ConvolutionLayer.Builder(2, 2).nOut(3).build(), "image")
                .addLayer("pool", new GlobalPoolingLayer(), "conv_1")
                .addLayer("lookup", new EmbeddingLayer.Builder().nOut(4).build(), "word")
                .addVertex("both", new MergeVertex(), "pool", "lookup")
                .addLayer("hidden", new DenseLayer.Builder().nOut(5).build(), "both")
                .addLayer("out", new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).nOut(2)
                        .activation(Activation.SOFTMAX).build(), "hidden")
                .setOutputs("out").setInputTypes(InputType.convolutional(4, 4, 1), InputType.feedForward(6)).build();
        ComputationGraph graph = new ComputationGraph(conf);
        graph.init();
        return graph;
    }

    private static MultiDataSet examples() {
        Nd4j.getRandom().setSeed(2);
        INDArray words = Nd4j.createFromArray(new float[][] {{0}, {3}, {5}, {1}});
        INDArray labels = Nd4j.createFromArray(new float[][] {{1, 0}, {0, 1}, {0, 1}, {1, 0}});
        return new MultiDataSet(new INDArray[] {Nd4j.randn(DataType.FLOAT, 4, 1, 4, 4), words},
                new INDArray[] {labels});
    }

    private static LoraConfig lora(String... targets) {
        return LoraConfig.builder().rank(2).alpha(4).targetModules(targets).build();
    }

    private static float[] floats(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    private static ComputationGraph trained(ComputationGraph adapted, int steps) {
        for (int i = 0; i < steps; i++) {
            adapted.fit(examples());
        }
        return adapted;
    }

    @Test
    void graphsLearnAreMergedSavedAndRestored() throws IOException {
        ComputationGraph base = graph(1);
        float[] before = floats(base.params());
        ComputationGraph adapted = Dl4jAdapters.withAdapter(base, lora("conv_1", "lookup", "hidden", "out"));
        double first = adapted.score(examples());
        trained(adapted, 10);

        assertTrue(adapted.score(examples()) < first);
        assertArrayEquals(before, floats(base.params()));
        base.paramTable().forEach((key, value) -> assertArrayEquals(floats(value), floats(adapted.getParam(key)), key));
        float[] answers = floats(adapted.output(examples().getFeatures())[0]);
        ComputationGraph merged = Dl4jAdapters.merge(adapted);
        assertArrayEquals(answers, floats(merged.output(examples().getFeatures())[0]));
        assertEquals(base.getConfiguration(), merged.getConfiguration());
        Dl4jAdapters.saveAdapter(adapted, folder);
        ComputationGraph loaded = Dl4jAdapters.loadAdapter(base, folder);
        assertArrayEquals(answers, floats(loaded.output(examples().getFeatures())[0]));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ModelSerializer.writeModel(adapted, bytes, true);
        ComputationGraph restored = ModelSerializer.restoreComputationGraph(
                new ByteArrayInputStream(bytes.toByteArray()), true);
        assertArrayEquals(floats(trained(adapted, 2).params()), floats(trained(restored, 2).params()));
    }

    @Test
    void filesHaveTheNamesAndShapesOfHuggingFace() {
        LoraConfig dora = lora("conv_1", "lookup", "hidden").toBuilder().dora(true).modulesToSave("out").build();
        Dl4jAdapters.saveAdapter(Dl4jAdapters.withAdapter(graph(1), dora), folder);

        Map<String, String> shapes = new TreeMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("adapter_model.safetensors"))) {
            file.tensors().forEach((name, info) -> shapes.put(name.replace("base_model.model.", ""),
                    java.util.Arrays.toString(info.shape())));
        }
        assertEquals(new TreeMap<>(Map.ofEntries(
                Map.entry("conv_1.lora_A.weight", "[2, 1, 2, 2]"), Map.entry("conv_1.lora_B.weight", "[3, 2, 1, 1]"),
                Map.entry("conv_1.lora_magnitude_vector", "[1, 3, 1, 1]"),
                Map.entry("lookup.lora_embedding_A", "[2, 6]"), Map.entry("lookup.lora_embedding_B", "[4, 2]"),
                Map.entry("lookup.lora_magnitude_vector", "[4]"), Map.entry("hidden.lora_A.weight", "[2, 7]"),
                Map.entry("hidden.lora_B.weight", "[5, 2]"), Map.entry("hidden.lora_magnitude_vector", "[5]"),
                Map.entry("out.W", "[5, 2]"), Map.entry("out.b", "[2]"))), shapes);
    }

    @Test
    void factorsOfInputsAreForWholeChannels() {
        ComputationGraph base = graph(1);
        ComputationGraph adapted = Dl4jAdapters.withAdapter(base, Ia3Config.builder().targetModules("hidden", "out")
                .feedforwardModules("hidden").build());
        assertEquals(7 + 2, adapted.numParams() - base.numParams());
    }

    @Test
    void anAdapterOfAnotherNetworkIsRefused() {
        Dl4jAdapters.saveAdapter(trained(Dl4jAdapters.withAdapter(graph(1), lora("hidden")), 1), folder);

        String message = assertThrows(AdapterMismatchException.class, () -> Dl4jAdapters.loadAdapter(graph(2), folder))
                .getMessage();
        assertTrue(message.contains("made for another base model"), message);
    }

    @Test
    void whatDoesNotFitIsListed() throws IOException {
        ComputationGraph base = graph(1);
        Dl4jAdapters.saveAdapter(Dl4jAdapters.withAdapter(base, lora("hidden", "out")), folder);
        Path config = folder.resolve("adapter_config.json");
        Files.writeString(config, Files.readString(config).replace("\"r\": 2", "\"r\": 3").replace("\"out\"",
                "\"lookup\""));

        String message = assertThrows(AdapterMismatchException.class, () -> Dl4jAdapters.loadAdapter(base, folder))
                .getMessage();
        assertTrue(message.contains("hidden.lora_A.weight is [2, 7], must be [3, 7]"), message);
        assertTrue(message.contains("missing (2)") && message.contains("not expected (2)"), message);
    }

    @Test
    void vertexesWithParametersAreRefused() {
        ComputationGraph graph = new ComputationGraph(new NeuralNetConfiguration.Builder().graphBuilder()
                .addInputs("in").addVertex("attention", new AttentionVertex.Builder().nInQueries(3).nInKeys(3)
                        .nInValues(3).nOut(3).nHeads(1).projectInput(true).build(), "in", "in", "in")
                .addLayer("out", new RnnOutputLayer.Builder(LossFunctions.LossFunction.MSE).nIn(3).nOut(2).build(),
                        "attention")
                .setOutputs("out").build());
        graph.init();

        String message = assertThrows(ConfigurationException.class, () -> Dl4jAdapters.withAdapter(graph, lora("out")))
                .getMessage();
        assertTrue(message.startsWith("vertex 'attention' of the graph (AttentionVertex) has parameters"), message);
    }
}
