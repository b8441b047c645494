package io.peft4j.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.LoraConfig;
import io.peft4j.methods.Ia3Config;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;

/** What must hold for each method on each kind of layer. */
class AdaptersTest {
    @TempDir
    private Path folder;

    static Stream<Arguments> cases() {
        LoraConfig lora = LoraConfig.builder().rank(2).alpha(3).targetModules("kind", "out").build();
        return Networks.pairs(Networks.kinds(), new TreeMap<>(Map.of("LoRA", lora, "DoRA",
                lora.toBuilder().dora(true).build(), "IA3", Ia3Config.builder().targetModules("kind", "out").build())));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("cases")
    void theAdapterLearnsAndTheBaseStays(Networks.Kind kind, String method, PeftConfig config) throws IOException {
        MultiLayerNetwork base = kind.network(DataType.FLOAT, new Adam(0.05));
        DataSet data = new DataSet(kind.features(DataType.FLOAT), kind.labels(DataType.FLOAT));
        INDArray before = base.params().dup();
        INDArray answers = base.output(data.getFeatures());
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, config);
        assertClose(answers, adapted.output(data.getFeatures()), "a new adapter changes nothing");

        double first = adapted.score(data);
        for (int step = 0; step < 8; step++) {
            adapted.fit(data);
        }
        assertTrue(adapted.score(data) < first, "it learns");
        base.paramTable().forEach((key, value) -> assertSame(value, adapted.getParam(key), key));
        assertSame(before, base.params(), "the base network");

        INDArray learned = adapted.output(data.getFeatures());
        assertFalse(answers.equalsWithEps(learned, 1e-3));
        MultiLayerNetwork merged = Dl4jAdapters.merge(adapted);
        assertEquals(base.getLayerWiseConfigurations(), merged.getLayerWiseConfigurations());
        assertSame(learned, merged.output(data.getFeatures()), "merged");

        Dl4jAdapters.saveAdapter(adapted, folder);
        MultiLayerNetwork loaded = Dl4jAdapters.loadAdapter(base, folder);
        assertSame(adapted.params(), loaded.params(), "from the folder");
        assertSame(learned, loaded.output(data.getFeatures()), "from the folder");
        assertEquals(stored(adapted), stored(loaded));

        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ModelSerializer.writeModel(adapted, bytes, true);
        MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(
                new ByteArrayInputStream(bytes.toByteArray()), true);
        assertEquals(adapted.getLayerWiseConfigurations(), restored.getLayerWiseConfigurations());
        assertSame(adapted.params(), restored.params(), "from the zip");
        adapted.fit(data);
        restored.fit(data);
        assertSame(adapted.params(), restored.params(), "trained on from the zip");
    }

    private static PeftConfig stored(MultiLayerNetwork network) {
        PeftConfig config = Dl4jAdapters.config(network);
        return config.withCommon(config.common().withInferenceMode(true));
    }

    private static void assertSame(INDArray expected, INDArray actual, String message) {
        assertArrayEquals(expected.dup('c').data().asFloat(), actual.dup('c').data().asFloat(), message);
    }

    private static void assertClose(INDArray expected, INDArray actual, String message) {
        assertArrayEquals(expected.dup('c').data().asFloat(), actual.dup('c').data().asFloat(), 1e-5f, message);
    }
}
