package io.peft4j.models.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arena;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** The tiny models of the fixtures against the numbers that Hugging Face computed with them. */
class LlamaParityTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

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

    private static CausalNetwork load(Path folder) {
        WeightLoader weights = new WeightLoader(Safetensors.open(folder), WeightType.F32);
        return new LlamaArchitecture().build("tiny", ModelConfig.read(folder.resolve("config.json")), weights);
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
