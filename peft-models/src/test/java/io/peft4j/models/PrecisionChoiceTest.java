package io.peft4j.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.architecture.WeightType.Blocks;
import io.peft4j.models.architecture.WeightType.Linear;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

class PrecisionChoiceTest {
    /** Like Llama-3-8B: 7 billion weights in linear layers, one in embedding and output layer. */
    private static final ModelSize EIGHT_BILLION = ModelSize.of(7_000_000_000L, 1_000_000_000L);

    @ParameterizedTest
    @CsvSource({
        "FASTER,  64, BF16, the processor multiplies bfloat16 faster than f32",
        "FASTER,  32, BF16, 16 000 MB of weights fill at most half of the memory of 32 000 MB",
        "FASTER,  31, INT8, bf16 would take 16 000 MB",
        "FASTER,  18, INT8, 9 000 MB of weights are not",
        "FASTER,  17, Q4, bf16 would take 16 000 MB and int8 would take 9 000 MB",
        "FASTER,  8, Q4, the smallest type is used and may not fit",
        "SAME, 64, BF16, half the memory of f32 and multiplied in f32 at the same speed",
        "SAME, 31, INT8, bf16 would take 16 000 MB",
        "SLOWER, 64, F32, the processor has no faster bfloat16",
        "SLOWER, 63, INT8, f32 would take 32 000 MB",
        "SLOWER, 22, INT8, 11 000 MB of weights are not",
        "SLOWER, 20, Q4, 8 375 MB of weights are not",
    })
    void autoFollowsProcessorAndMemory(BFloat16Speed speed, long gigabytes, Precision expected, String reason) {
        PrecisionChoice choice = PrecisionChoice.of(Precision.AUTO, speed, gigabytes * 1_000_000_000L, EIGHT_BILLION);
        assertEquals(expected, choice.precision());
        assertTrue(choice.reason().replace(',', ' ').contains(reason), choice.reason());
    }

    @Test
    void anExplicitPrecisionIsAlwaysUsed() {
        for (Precision asked : new Precision[] {Precision.F32, Precision.BF16, Precision.INT8, Precision.Q4}) {
            PrecisionChoice choice = PrecisionChoice.of(asked, BFloat16Speed.FASTER, 1, EIGHT_BILLION);
            assertEquals(new PrecisionChoice(asked, "as asked for"), choice);
        }
        assertEquals("int8", new PrecisionChoice(Precision.INT8, "").name());
    }

    @Test
    void weightsOfEachPrecision() {
        ModelSize size = ModelSize.of(800, 100);
        assertEquals(3600, size.weightBytes(Precision.F32, false));
        assertEquals(1800, size.weightBytes(Precision.BF16, true));
        assertEquals(1000, size.weightBytes(Precision.INT8, true));
        assertEquals(1200, size.weightBytes(Precision.INT8, false));
        assertEquals(700, size.weightBytes(Precision.Q4, true));
        assertEquals(999, new ModelSize(800, 100, Optional.of(799L)).weightBytes(Precision.Q4, true));
        assertThrows(IllegalArgumentException.class, () -> size.weightBytes(Precision.AUTO, true));
    }

    @Test
    void whatStaysInTheFileIsNotCounted() {
        try (Safetensors tensors = Safetensors.open(Path.of("../tests/fixtures/families/gemma4"))) {
            String table = "model.embed_tokens_per_layer.weight";
            assertEquals(ModelSize.of(tensors, 384, name -> true).other() - tensors.elements(table),
                    ModelSize.of(tensors, 384, name -> !name.equals(table)).other());
        }
    }

    @Test
    void weightsAreStoredInThePrecision() {
        ModelOptions options = ModelOptions.defaults();
        assertEquals(WeightType.F32, options.weightType(Precision.F32, true));
        assertEquals(WeightType.BF16, options.weightType(Precision.BF16, false));
        assertEquals(new WeightType(DataType.BFLOAT16, Linear.INT8, Blocks.CONVERTED),
                options.weightType(Precision.INT8, true));
        assertEquals(new WeightType(DataType.FLOAT, Linear.FOUR_BIT, Blocks.KEPT_IN_LINEAR),
                options.weightType(Precision.Q4, false));
        assertEquals(new WeightType(DataType.BFLOAT16, Linear.FOUR_BIT, Blocks.CONVERTED),
                options.withKeepBlocks(false).weightType(Precision.Q4, true));
        assertEquals(new WeightType(DataType.FLOAT, Linear.DENSE, Blocks.KEPT),
                options.withKeepBlocks(true).weightType(Precision.F32, true));
    }
}
