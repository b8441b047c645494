package io.peft4j.models.decoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
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
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** The rotary scaling {@code dynamic}, which has no limit; this model's positions times its factor are 128. */
class DynamicRotaryTest {
    private static final Path FOLDER = Path.of("../tests/fixtures/families/llama-dynamic");
    private static final int LIMIT = 128;

    @Test
    void longerTextsGoOnWithOneWarning() {
        try (CausalNetwork network = new LlamaFamily().build("dynamic",
                ModelConfig.read(FOLDER.resolve("config.json")),
                new WeightLoader(Safetensors.open(FOLDER), WeightType.F32))) {
            assertEquals(List.of(), warnings(() -> run(network, LIMIT)));
            List<String> warnings = warnings(() -> {
                run(network, LIMIT + 1);
                run(network, 2 * LIMIT);
            });
            assertEquals(1, warnings.size(), warnings.toString());
            assertTrue(warnings.get(0).endsWith("a sequence of 129 tokens is longer than max_position_embeddings 32 "
                    + "times the factor 4.0 of the dynamic rotary scaling; answers may get worse"), warnings.get(0));
        }
    }

    private static List<String> warnings(Runnable action) {
        return LogLines.of(action).stream().filter(line -> line.contains(" WARN ")).toList();
    }

    private static void run(CausalNetwork network, int length) {
        int[] tokens = IntStream.range(0, length).map(i -> 3 + i % 300).toArray();
        try (NaiveKernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(tokens)));
            float[] states = Arrays.toFloats(network.hidden(ForwardContext.evaluation(tape, batch,
                    LayerSelection.BASE)).value());
            assertTrue(IntStream.range(0, states.length).allMatch(i -> Float.isFinite(states[i])));
        }
    }
}
