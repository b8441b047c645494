package io.peft4j.models.decoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The less a pass may keep, the more it computes again, to the same bits. */
class RecomputationTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");
    private static final int RANK = 2;
    private static final int PRODUCTS_OF_A_LAYER = 7;
    private static final int WIDE_PRODUCTS_OF_A_LAYER = 2;

    private final PackedBatch batch = PackedBatch.of(List.of(TokenSequence.allSupervised(5, 6, 7, 8, 9, 10),
            TokenSequence.allSupervised(5, 6, 7, 8, 11)));
    private final CausalNetwork network = network(new LlamaFamily(), "tiny-llama");
    private final Random random = new Random(2);
    private final List<Parameter> parameters = new ArrayList<>();
    private final Map<String, Integer> places = new HashMap<>();
    private int products;
    /** How the paths of the layers end that have an update. */
    private String adapted = "";

    @AfterEach
    void close() {
        adapt("");
        network.close();
    }

    /** From now on layers have an update whose paths end so. */
    private void adapt(String end) {
        adapted = end;
        parameters.forEach(Parameter::close);
        parameters.clear();
        places.clear();
    }

    private static CausalNetwork network(DecoderFamily family, String fixture) {
        Path folder = FIXTURES.resolve(fixture);
        return family.build(fixture, ModelConfig.read(folder.resolve("config.json")),
                new WeightLoader(Safetensors.open(folder), WeightType.F32));
    }

    private Parameter parameter(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.1 * random.nextGaussian());
        }
        Parameter parameter = new Parameter("p" + parameters.size(), Arrays.of(values, rows, columns));
        parameters.add(parameter);
        return parameter;
    }

    /** All linear layers of the decoder with an update of their own. */
    private LayerSelection adapted(Tape tape, CausalNetwork network) {
        return slot -> {
            if (!(slot.layer() instanceof Linear linear) || slot == network.head() || !slot.path().endsWith(adapted)) {
                return slot.layer();
            }
            int first = places.computeIfAbsent(slot.path(), path -> {
                parameter(RANK, linear.inFeatures());
                parameter(linear.outFeatures(), RANK);
                return parameters.size() - 2;
            });
            return (context, x) -> linear.forwardWithLowRank(context, x, tape.parameter(parameters.get(first)),
                    tape.parameter(parameters.get(first + 1)), 1);
        };
    }

    /** The gradients of all parameters of a pass that may keep so many bytes. */
    private List<float[]> gradients(CausalNetwork network, long bytes, Arena arena) {
        parameters.forEach(Parameter::clearGradient);
        products = 0;
        try (NaiveKernels naive = new NaiveKernels();
                Tape tape = Tape.recording(counting(naive), arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.training(tape, batch, adapted(tape, network), 1)
                    .recomputingAbove(bytes);
            Variable hidden = network.hidden(context);
            INDArray gradient = arena.zeros(DataType.FLOAT, hidden.value().shape());
            float[] values = new float[(int) gradient.length()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (i % 7 - 3) / 10f;
            }
            Arrays.write(gradient, 0, values, 0, values.length);
            tape.backward(hidden, gradient);
        }
        arena.reset();
        return parameters.stream().map(parameter -> Arrays.toFloats(parameter.gradient())).toList();
    }

    private Kernels counting(Kernels kernels) {
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                    products += method.getName().equals("linearWithLowRank") ? 1 : 0;
                    return method.invoke(kernels, arguments);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "k_proj", "v_proj", "per_layer_model_projection", "layers.4.self_attn.q_proj"})
    void whatLayersShareHasTheSameGradients(String end) {
        adapt(end);
        try (Arena arena = new Arena(); CausalNetwork gemma = network(new Gemma4Family(), "families/gemma4")) {
            List<float[]> expected = gradients(gemma, Long.MAX_VALUE, arena);
            long all = arena.peakBytes();
            for (int part = 4; part >= 0; part--) {
                List<float[]> actual = gradients(gemma, all * part / 4, arena);
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(expected.get(i), actual.get(i), parameters.get(i).name());
                    float[] own = actual.get(i);
                    assertTrue(IntStream.range(0, own.length).anyMatch(j -> own[j] != 0));
                }
            }
        }
    }

    @Test
    void aPassThatMayKeepLessComputesMoreAgain() {
        int layers = network.decoderLayers().size();
        try (Arena arena = new Arena()) {
            List<float[]> expected = gradients(network, Long.MAX_VALUE, arena);
            long all = arena.peakBytes();
            int once = products;
            assertEquals(layers * PRODUCTS_OF_A_LAYER, once);
            int former = 2 * once;
            boolean wideOnesAlone = false;
            for (int part = 0; part <= 20; part++) {
                List<float[]> actual = gradients(network, all * part / 20, arena);
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(expected.get(i), actual.get(i), parameters.get(i).name());
                }
                assertTrue(products <= former, products + " products with " + part + " parts, with fewer " + former);
                former = products;
                int again = products - once;
                wideOnesAlone |= again > 0 && again <= (layers - 1) * WIDE_PRODUCTS_OF_A_LAYER;
            }
            assertEquals(once, former);
            assertTrue(wideOnesAlone, "no limit made wide products alone run again");
        }
    }
}
