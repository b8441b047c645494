package io.peft4j.models.decoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** The tiny models of the fixtures against the numbers that Hugging Face computed with them. */
class DecoderParityTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied", "tiny-llama-sharded", "tiny-llama-bf16"})
    void negativeLogLikelihoodsEqualHuggingFace(String name) throws Exception {
        Path folder = FIXTURES.resolve(name);
        JsonNode expected = new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
        try (Kernels kernels = new NaiveKernels(); CausalNetwork network = load(folder); Arena arena = new Arena()) {
            assertEquals(expected.get("parameters").asLong(), network.description().parameters());
            List<TokenSequence> all = new ArrayList<>();
            for (JsonNode text : expected.get("texts")) {
                int[] ids = StreamSupport.stream(text.get("input_ids").spliterator(), false)
                        .mapToInt(JsonNode::asInt).toArray();
                all.add(TokenSequence.allSupervised(ids));
                double nll = nll(network, kernels, arena, PackedBatch.of(List.of(TokenSequence.allSupervised(ids))));
                assertEquals(text.get("nll_f64").asDouble(), nll, 1e-5 * text.get("nll_f64").asDouble());
            }
            double total = expected.get("nll_total_f64").asDouble();
            assertEquals(total, nll(network, kernels, arena, PackedBatch.of(all)), 1e-5 * total);
            assertEquals(total, nll(network, kernels, arena, PackedBatch.sharingPrefixes(all)), 1e-5 * total);
        }
    }

    @Test
    void aPassBegunAtAnyLayerGivesTheStatesOfAWholePass() throws Exception {
        PackedBatch batch = PackedBatch.sharingPrefixes(List.of(TokenSequence.allSupervised(5, 6, 7, 8, 9, 10),
                TokenSequence.allSupervised(5, 6, 7, 8, 11), TokenSequence.allSupervised(12, 13)));
        int[] rows = {1, 4, 2};
        try (Kernels kernels = new NaiveKernels();
                CausalNetwork network = load(FIXTURES.resolve("tiny-llama"));
                Arena arena = new Arena();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            ForwardContext whole = ForwardContext.evaluation(tape, batch, LayerSelection.BASE);
            float[] expected = Arrays.toFloats(network.hidden(whole).value());
            float[] expectedRows = Arrays.toFloats(network.hidden(whole, rows).value());
            int layers = network.decoderLayers().size();
            assertEquals(network.description().layers(), layers);
            for (int layer = 0; layer < layers; layer++) {
                ForwardContext begun = whole.startingWith(new ForwardContext.LayerStates(layer,
                        network.statesBefore(whole, layer).value()));
                assertArrayEquals(expected, Arrays.toFloats(network.hidden(begun).value()));
                assertArrayEquals(expectedRows, Arrays.toFloats(network.hidden(begun, rows).value()));
            }
            assertThrows(IllegalArgumentException.class, () -> network.statesBefore(whole, layers));
            assertThrows(IllegalArgumentException.class, () -> whole.startingWith(new ForwardContext.LayerStates(0,
                    arena.zeros(DataType.FLOAT, batch.rows() + 1, network.description().hiddenSize()))));
        }
    }

    private static CausalNetwork load(Path folder) {
        WeightLoader weights = new WeightLoader(Safetensors.open(folder), WeightType.F32);
        return new LlamaFamily().build("tiny", ModelConfig.read(folder.resolve("config.json")), weights);
    }

    private static double nll(CausalNetwork network, Kernels kernels, Arena arena, PackedBatch batch) {
        double sum = 0;
        try (Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, LayerSelection.BASE);
            Variable rows = RowOps.gatherRows(tape, network.hidden(context), batch.targets().rows());
            Variable logits = network.logits(context, rows);
            float[] nll = new float[batch.targets().count()];
            kernels.crossEntropy(logits.value(), batch.targets().ids(), nll);
            for (float value : nll) {
                sum += value;
            }
        }
        arena.reset();
        return sum;
    }
}
