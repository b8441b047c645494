package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.weight.DenseWeight;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Parts of the low-rank methods by themselves, and what they refuse. */
class LowRankOperationsTest {
    private static INDArray normal(Random random, double deviation, long... shape) {
        int length = 1;
        for (long size : shape) {
            length *= (int) size;
        }
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return Arrays.of(values, shape);
    }

    /** The norm from the Gram matrix against that of the matrix itself. */
    @Test
    void doraNormsAreThoseOfTheChangedWeight() {
        Random random = new Random(3);
        INDArray w = normal(random, 1, 9, 20);
        INDArray a = normal(random, 0.5, 4, 20);
        INDArray b = normal(random, 0.5, 9, 4);
        float[] norms;
        try (Arena arena = new Arena(); NaiveKernels kernels = new NaiveKernels()) {
            norms = DoraNorm.ofLinear(new DenseWeight(w), 1.5).compute(kernels, arena, a, b);
        }
        INDArray changed = w.add(b.mmul(a).mul(1.5));
        for (int i = 0; i < norms.length; i++) {
            // Sums of 20 squares in f32 against sums of products.
            assertEquals(changed.getRow(i).norm2Number().doubleValue(), norms[i], 1e-5 * norms[i]);
        }
    }

    @ParameterizedTest
    @CsvSource({"256,-1,16,16", "128,-1,8,16", "127,-1,1,127", "128,4,4,32", "576,-1,24,24", "1536,-1,32,48",
        "12,5,3,4", "8,16,2,4"})
    void factorsOfASize(int size, int factor, int first, int second) {
        assertArrayEquals(new int[] {first, second}, LoKrLayer.factors(size, factor));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"VERA;\"save_projection\": false;save_projection",
        "RANDLORA;\"save_projection\": false;save_projection",
        "VBLORA;\"vector_length\": 3;vector_length 3 does not divide",
        "MISS;\"r\": 100;choose a smaller rank", "MISS;\"r\": 3, \"init_weights\": \"bat\";does not divide",
        "MISS;\"r\": 4, \"init_weights\": \"mini\", \"mini_r\": 3;mini_r 3 does not divide",
        "LOHA;\"rank_pattern\": {\"nowhere\": 3};rank_pattern"})
    void mismatchesWithTheModelAreRefused(String type, String json, String expected) {
        PeftConfig config = PeftMethods.readConfig("{\"peft_type\": \"" + type
                + "\", \"target_modules\": [\"q_proj\"], " + json + "}", "test");
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false))) {
            String message = assertThrows(PeftException.class, () -> PeftModel.of(base, config)).getMessage();
            assertTrue(message.contains(expected), message);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"LOHA;\"r\": 0", "LOHA;\"rank_dropout\": 1.5", "LOKR;\"decompose_factor\": 0",
        "LOKR;\"init_weights\": \"pissa\"", "LOHA;\"use_effective_conv2d\": true", "VERA;\"bias\": \"only_lora\"",
        "RANDLORA;\"randlora_dropout\": 1", "VBLORA;\"topk\": 300", "VBLORA;\"save_only_topk_weights\": true",
        "MISS;\"mini_r\": 0", "MISS;\"init_weights\": 2", "VERA;\"layers_pattern\": \"layers\""})
    void invalidValuesAreRefusedWithTheFileName(String type, String json) {
        String message = assertThrows(ConfigurationException.class, () -> PeftMethods.readConfig("{\"peft_type\": \""
                + type + "\", " + json + "}", "some/adapter_config.json")).getMessage();
        assertTrue(message.startsWith("some/adapter_config.json"), message);
    }

    @ParameterizedTest
    @CsvSource({"LORA, lora_only", "LORA, vera_only", "VERA, vera_only", "RANDLORA, randlora_only",
        "VBLORA, vblora_only", "MISS, MiSS_only", "MISS, miss_only"})
    void anyBiasWordOfAdaptedLayersIsAcceptedAndKept(String type, String word) {
        String json = PeftMethods.readConfig("{\"peft_type\": \"" + type + "\", \"bias\": \"" + word + "\"}", "test")
                .toJson();
        assertTrue(json.contains("\"bias\": \"" + word + "\""), json);
    }

    @Test
    void theSharedOptionsAreKeysOfTheConfiguration() {
        List<String> types = List.of("LOHA", "LOKR", "VERA", "RANDLORA", "VBLORA", "MISS");
        for (String type : types) {
            PeftConfig config = PeftMethods.readConfig("{\"peft_type\": \"" + type + "\"}", "test");
            PeftMethods.byType(type).optionKeys().values()
                    .forEach(key -> assertTrue(config.toJson().contains("\"" + key + "\""), type + " " + key));
        }
    }
}
