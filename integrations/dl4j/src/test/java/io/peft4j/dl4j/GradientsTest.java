package io.peft4j.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.methods.Ia3Config;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.gradientcheck.GradientCheckUtil.MLNConfig;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Gradients against central differences, by DeepLearning4J's own check, in double. */
@Tag("jdk")
class GradientsTest {
    private static final double STEP = 1e-6;
    private static DataType before;

    @BeforeAll
    static void checkInDouble() {
        before = Nd4j.dataType();
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void restore() {
        Nd4j.setDefaultDataTypes(before, before);
    }

    static Map<String, PeftConfig> methods() {
        Map<String, PeftConfig> methods = new LinkedHashMap<>();
        LoraConfig lora = LoraConfig.builder().rank(2).alpha(3).initialization(LoraInit.RANDOM)
                .targetModules("kind", "out").build();
        methods.put("LoRA", lora);
        methods.put("DoRA", lora.toBuilder().dora(true).build());
        Ia3Config ia3 = Ia3Config.builder().initWeights(false).targetModules("kind", "out").build();
        methods.put("IA3", ia3);
        methods.put("IA3 of inputs", ia3.toBuilder().feedforwardModules("kind", "out").build());
        return methods;
    }

    /** Of DeepLearning4J's layers that SameDiff computes, plain ones have twice the gradient in 1.0.0-M2.1. */
    static Stream<Arguments> cases() {
        return Networks.pairs(Networks.kinds().stream().filter(kind -> !kind.isSameDiff()).toList(), methods());
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("cases")
    void gradientsEqualCentralDifferences(Networks.Kind kind, String method, PeftConfig config) {
        MultiLayerNetwork base = kind.network(DataType.DOUBLE, new Sgd(1));
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, config);
        Set<String> frozen = new HashSet<>(base.paramTable().keySet());
        assertTrue(GradientCheckUtil.checkGradients(new MLNConfig().net(adapted)
                .input(kind.features(DataType.DOUBLE)).labels(kind.labels(DataType.DOUBLE)).excludeParams(frozen)
                .maxRelError(1e-5).subset(true).maxPerParam(3).print(GradientCheckUtil.PrintMode.ZEROS)));
    }

    static Stream<Arguments> attention() {
        return Networks.kinds().stream().filter(Networks.Kind::isSameDiff).flatMap(kind -> methods().entrySet()
                .stream().map(method -> Arguments.of(kind, method.getKey(), method.getValue())));
    }

    /** What central differences are to a gradient in a plain network, they must be to an adapter's. */
    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("attention")
    void gradientsOfAttentionAreThoseOfThePlainLayer(Networks.Kind kind, String method, PeftConfig config) {
        MultiLayerNetwork base = kind.network(DataType.DOUBLE, new Sgd(1));
        double ratio = ratio(kind, base, "0_Wv", 1);
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, config);
        adapted.paramTable().keySet().stream().filter(key -> key.startsWith("0_") && key.contains(".")).forEach(key -> {
            assertEquals(ratio, ratio(kind, adapted, key, 0), 1e-5, key);
            assertEquals(ratio, ratio(kind, adapted, key, 1), 1e-5, key);
        });
    }

    /** A gradient as DeepLearning4J computes it through its central difference. */
    private static double ratio(Networks.Kind kind, MultiLayerNetwork network, String key, int index) {
        DataSet data = new DataSet(kind.features(DataType.DOUBLE), kind.labels(DataType.DOUBLE));
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        double gradient = network.gradient().getGradientFor(key).getDouble(index) / data.numExamples();
        INDArray values = network.getParam(key);
        double value = values.getDouble(index);
        values.putScalar(index, value + STEP);
        double above = network.score(data, true);
        values.putScalar(index, value - STEP);
        double below = network.score(data, true);
        values.putScalar(index, value);
        return gradient / ((above - below) / (2 * STEP));
    }
}
