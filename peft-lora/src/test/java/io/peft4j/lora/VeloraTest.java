package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What VeLoRA does in training. */
class VeloraTest {
    private static final int[] FIRST = {1, 5, 3, 5, 2, 9};
    private static final int[] SECOND = {4, 12, 8, 4};

    private static PeftModel model(TinyModel base, Optional<Velora> velora) {
        return PeftModel.of(base, LoraConfig.builder().rank(3).targetModules("q_proj", "down_proj")
                .initialization(LoraInit.RANDOM).velora(velora).build(), new SplittableRandom(4));
    }

    private static float[] direction(PeftModel model) {
        return Arrays.toFloats(model.adapter(PeftModel.DEFAULT_ADAPTER).tensors()
                .filter(tensor -> tensor.name().equals("lora_velora_embed")).findFirst().orElseThrow().parameter()
                .value());
    }

    private static void backward(PeftModel model, int[] sequence) {
        float[] weights = new float[(sequence.length - 1) * TinyNetwork.VOCABULARY];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = i % 5 - 1.8f;
        }
        Passes.backward(model, List.of(sequence), weights, 0);
    }

    /** e e^T is 1. */
    @ParameterizedTest
    @EnumSource
    void groupsOfOneValueLearnAsLora(Velora.Direction direction) {
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, false));
                PeftModel lora = model(base, Optional.empty());
                PeftModel velora = model(base, Optional.of(new Velora(64, 1, direction)))) {
            backward(lora, FIRST);
            backward(velora, FIRST);
            List<Parameter> expected = lora.trainableParameters();
            List<Parameter> actual = velora.trainableParameters();
            assertEquals(expected.size(), actual.size());
            // Random directions come out of the same stream as A and B, which are then other ones.
            for (int i = 0; i < expected.size() && direction != Velora.Direction.RANDOM; i++) {
                assertArrayEquals(Arrays.toFloats(expected.get(i).gradient()),
                        Arrays.toFloats(actual.get(i).gradient()), 1e-4f, expected.get(i).name());
            }
            assertEquals(1, Math.abs(direction(velora)[0]), 1e-6);
        }
    }

    @Test
    void theAverageIsOfEachBatchOrOfTheFirstOfATraining() {
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, false));
                PeftModel each = model(base, Optional.of(new Velora(2, 1, Velora.Direction.AVERAGE)));
                PeftModel once = model(base, Optional.of(new Velora(2, 1, Velora.Direction.FIRST_AVERAGE)))) {
            backward(each, FIRST);
            backward(once, FIRST);
            float[] first = direction(once);
            assertArrayEquals(first, direction(each));
            Passes.logits(each, List.of(SECOND));
            assertArrayEquals(first, direction(each), "it stays outside of training");
            backward(each, SECOND);
            backward(once, SECOND);
            assertArrayEquals(first, direction(once));
            float[] second = direction(each);
            assertFalse(java.util.Arrays.equals(first, second));
            try (TrainingHook hook = once.adapter(PeftModel.DEFAULT_ADAPTER).training(3)) {
                hook.resumed();
                backward(once, SECOND);
                assertArrayEquals(first, direction(once));
            }
            try (TrainingHook hook = once.adapter(PeftModel.DEFAULT_ADAPTER).training(3)) {
                assertEquals(2 * TinyNetwork.LAYERS, hook.arrays().size());
                backward(once, SECOND);
                assertArrayEquals(second, direction(once));
            }
        }
    }

    @Test
    void whatItDoesNotWorkWithIsRefused() {
        LoraConfig config = LoraConfig.builder().velora(new Velora(4, 1, Velora.Direction.AVERAGE)).build();
        String message = assertThrows(ConfigurationException.class, () -> config.toBuilder().dora(true).build())
                .getMessage();
        assertTrue(message.contains("velora_config") && message.contains("use_dora"), message);
        assertThrows(ConfigurationException.class, () -> new Velora(0, 1, Velora.Direction.AVERAGE));
        assertThrows(ConfigurationException.class, () -> new Velora(4, 0, Velora.Direction.AVERAGE));
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, false))) {
            message = assertThrows(ConfigurationException.class, () -> PeftModel.of(base, config.toBuilder()
                    .targetModules("embed_tokens").build())).getMessage();
            assertTrue(message.contains("embed_tokens is an embedding"), message);
        }
    }
}
