package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Agreement;
import io.peft4j.core.peft.LayerStatus;
import io.peft4j.core.peft.ModelStatus;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several adapters on one model: their state, and exchanging one for another in place. */
class AdapterLifeTest {
    private static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});
    private final TinyModel base = new TinyModel(new TinyNetwork(1, false, false));

    @AfterEach
    void close() {
        base.close();
    }

    private static LoraConfig lora(int rank, String... targets) {
        return LoraConfig.builder().rank(rank).initialization(Initialization.RANDOM).targetModules(targets).build();
    }

    private float[] logits(PeftModel model) {
        return Passes.logits(model, model.layers(), SEQUENCES);
    }

    @Test
    void theStatusNamesWhatIsThereActiveAndTrained() {
        try (PeftModel model = PeftModel.of(base, lora(2, "q_proj"))) {
            model.addAdapter("second", LoraConfig.builder().rank(2).targetModules("q_proj", "v_proj")
                    .modulesToSave("lm_head").build());
            ModelStatus status = model.status();
            assertEquals("llama", status.baseModelType());
            assertEquals(Map.of("default", "LORA", "second", "LORA"), status.peftTypes());
            assertEquals(List.of("default"), status.activeAdapters());
            assertEquals(List.of("default", "second"), status.availableAdapters());
            assertEquals(List.of(), status.mergedAdapters());
            assertTrue(status.enabled());
            assertEquals(Map.of("default", Agreement.TRUE, "second", Agreement.FALSE), status.requiresGrad());
            assertEquals(model.trainableParameterCount(), status.trainableParams());
            assertEquals(model.parameterCount(), status.totalParams());
            assertEquals(2 * TinyNetwork.LAYERS + 1, status.numAdapterLayers());
            LayerStatus query = layer(status, "model.layers.0.self_attn.q_proj");
            assertEquals("lora.Linear", query.moduleType());
            assertEquals(List.of("default", "second"), query.availableAdapters());
            assertEquals(List.of("second"), layer(status, "model.layers.1.self_attn.v_proj").availableAdapters());
            assertEquals("copy.Linear", layer(status, "lm_head").moduleType());
        }
    }

    @Test
    void theStatusFollowsMergingAndDisabling() {
        try (PeftModel model = PeftModel.of(base, lora(2, "q_proj"))) {
            model.addAdapter("second", lora(2, "q_proj", "v_proj"));
            model.activate("default", "second");
            model.merge();
            assertEquals(List.of("default", "second"), model.status().mergedAdapters());
            assertEquals(List.of("second"),
                    layer(model.status(), "model.layers.0.self_attn.v_proj").mergedAdapters());
            assertEquals(Map.of("default", Agreement.FALSE, "second", Agreement.FALSE), model.status().requiresGrad());
            model.unmerge();
            model.activate();
            assertEquals(false, model.status().enabled());
            assertEquals(List.of(), model.status().activeAdapters());
            model.deleteAdapter("default");
            assertEquals(List.of("second"), model.status().availableAdapters());
        }
    }

    @Test
    void agreementIsIrregularWhereAnswersDiffer() {
        assertEquals(Agreement.TRUE, Agreement.of(List.of(true, true)));
        assertEquals(Agreement.FALSE, Agreement.of(List.of(false)));
        assertEquals(Agreement.IRREGULAR, Agreement.of(List.of(true, false)));
        assertEquals("irregular", Agreement.IRREGULAR.toString());
    }

    private static LayerStatus layer(ModelStatus status, String path) {
        return status.layers().stream().filter(layer -> layer.name().equals(path)).findFirst().orElseThrow();
    }

    @Test
    void aSwapTakesFewerLayersAndAnotherScaling(@TempDir Path folder) {
        float[] expected;
        try (PeftModel other = PeftModel.of(base, lora(2, "q_proj").toBuilder().alpha(30).build(),
                new SplittableRandom(5))) {
            other.saveAdapter(folder);
            expected = logits(other);
        }
        try (PeftModel model = PeftModel.of(base, lora(2, "q_proj", "v_proj"))) {
            long before = Arrays.address(model.trainableParameters().get(0).value());
            model.hotSwap("default", folder);
            assertArrayEquals(expected, logits(model));
            assertEquals(before, Arrays.address(model.trainableParameters().get(0).value()));
            assertEquals(2 * TinyNetwork.LAYERS, model.trainableParameters().size());
        }
    }

    @Test
    void aSwapThatDoesNotFitChangesNothing(@TempDir Path folder) {
        try (PeftModel other = PeftModel.of(base, lora(3, "q_proj", "k_proj"), new SplittableRandom(5))) {
            other.saveAdapter(folder);
        }
        try (PeftModel model = PeftModel.of(base, lora(2, "q_proj"))) {
            float[] before = logits(model);
            String message = assertThrows(AdapterMismatchException.class, () -> model.hotSwap("default", folder))
                    .getMessage();
            assertTrue(message.contains("q_proj.lora_A.weight is [3, 8], there [2, 8]"), message);
            assertTrue(message.contains("k_proj.lora_A.weight is not adapted there"), message);
            assertArrayEquals(before, logits(model));
            assertTrue(model.trainableParameters().stream().noneMatch(AdapterLifeTest::isClosed));
            assertThrows(ConfigurationException.class, () -> model.hotSwap("nobody", folder));
        }
    }

    private static boolean isClosed(Parameter parameter) {
        return parameter.value().wasClosed();
    }
}
