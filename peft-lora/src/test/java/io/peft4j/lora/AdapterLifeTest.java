package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.MergeCheck;
import io.peft4j.core.peft.ModelStatus;
import io.peft4j.core.peft.ModelStatus.Agreement;
import io.peft4j.core.peft.ModelStatus.LayerStatus;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.lora.init.LoftQ;
import io.peft4j.lora.init.LoraInit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Several adapters on one model: their state, and exchanging one for another in place. */
class AdapterLifeTest {
    private static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});
    private final TinyModel base = new TinyModel(new TinyNetwork(1, false, false));

    @AfterEach
    void close() {
        base.close();
    }

    private static LoraConfig lora(int rank, String... targets) {
        return LoraConfig.builder().rank(rank).initialization(LoraInit.RANDOM).targetModules(targets).build();
    }

    private float[] logits(PeftModel model) {
        return Passes.logits(model, SEQUENCES);
    }

    @Test
    void theStatusListsLoadedActiveAndTrainedAdapters() {
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
    void aSwapTakesOtherLayersAnotherRankAndScaling(@TempDir Path folder) {
        float[] expected;
        try (PeftModel other = PeftModel.of(base, lora(3, "q_proj").toBuilder().alpha(30).build(),
                new SplittableRandom(5))) {
            other.saveAdapter(folder);
            expected = logits(other);
        }
        try (PeftModel model = PeftModel.of(base, lora(2, "k_proj", "v_proj"))) {
            model.hotSwap("default", folder);
            assertArrayEquals(expected, logits(model));
            assertEquals(2 * TinyNetwork.LAYERS, model.trainableParameters().size());
        }
    }

    @Test
    void aMismatchingSwapChangesNothing(@TempDir Path folder) throws IOException {
        try (PeftModel other = PeftModel.of(base, lora(3, "q_proj", "k_proj"), new SplittableRandom(5))) {
            other.saveAdapter(folder);
        }
        Path config = folder.resolve(AdapterCheckpoint.CONFIG_FILE);
        Files.writeString(config, Files.readString(config).replaceFirst("\"r\" ?: ?3", "\"r\": 4"));
        try (PeftModel model = PeftModel.of(base, lora(2, "q_proj"))) {
            float[] before = logits(model);
            String message = assertThrows(AdapterMismatchException.class, () -> model.hotSwap("default", folder))
                    .getMessage();
            assertTrue(message.contains("q_proj.lora_A.weight is [3, 8], must be [4, 8]"), message);
            assertArrayEquals(before, logits(model));
            assertTrue(model.trainableParameters().stream().noneMatch(AdapterLifeTest::isClosed));
            assertThrows(ConfigurationException.class, () -> model.hotSwap("nobody", folder));
        }
    }

    @Test
    void aSwapFreesTheOldAdaptersExtraMemory(@TempDir Path folder) {
        LoraConfig config = lora(2, "q_proj").toBuilder().initialization(LoftQ.builder().build())
                .build();
        try (PeftModel model = PeftModel.of(base, config)) {
            model.saveAdapter(folder);
            List<INDArray> before = weights(model.adapter("default"));
            assertEquals(TinyNetwork.LAYERS, before.size());
            model.hotSwap("default", folder);
            assertTrue(before.stream().allMatch(INDArray::wasClosed));
            assertTrue(weights(model.adapter("default")).stream().noneMatch(INDArray::wasClosed));
        }
        try (PeftModel model = PeftModel.of(base, VeraConfig.builder().rank(2).targetModules("q_proj").build())) {
            Adapter adapter = model.adapter("default");
            SharedMatrices matrices = new SharedMatrices(adapter.sharedTensors());
            INDArray corner = matrices.corner(0, 2, 4);
            matrices.adapter(adapter.config(), List.of()).closeDerived();
            assertTrue(corner.wasClosed());
            assertTrue(adapter.sharedTensors().stream().noneMatch(tensor -> isClosed(tensor.parameter())));
        }
    }

    private static List<INDArray> weights(Adapter adapter) {
        return adapter.layers().stream().map(LoraLayer.class::cast).flatMap(LoraLayer::start).toList();
    }

    @Test
    void anIncompatibleSwapChangesNothing(@TempDir Path folder) {
        LoraConfig waiting = lora(2, "q_proj").toBuilder().invocationTokens(5, 2).build();
        try (PeftModel other = PeftModel.of(base, waiting.toBuilder().invocationTokens(3).build(),
                new SplittableRandom(5))) {
            other.saveAdapter(folder);
        }
        try (PeftModel model = PeftModel.of(base, waiting)) {
            model.addAdapter("second", waiting, new SplittableRandom(6));
            model.activate("default", "second");
            float[] before = logits(model);
            assertThrows(ConfigurationException.class, () -> model.hotSwap("second", folder));
            assertArrayEquals(before, logits(model));
            try (PeftModel.Scope disabled = model.disable()) {
                assertThrows(ConfigurationException.class, () -> model.hotSwap("second", folder));
            }
            assertArrayEquals(before, logits(model));
            model.activateByRow("default", "second");
            model.hotSwap("second", folder);
            assertEquals(List.of(3), model.adapter("second").invocation());
        }
    }

    /** By row a, b and the base: whatever happens to other adapters, that stays so. */
    @Test
    void rowsKeepTheirAdapters(@TempDir Path folder) {
        try (PeftModel model = threeAdapters()) {
            model.saveAdapter("other", folder);
            model.activateByRow("a", "b", PeftModel.BASE);
            float[] expected = byRow(model.byRow("a", "b", PeftModel.BASE));
            assertFalse(java.util.Arrays.equals(expected, byRow(model.with("a", "b"))));
            List<Runnable> events = List.of(() -> model.disable().close(), () -> model.hotSwap("other", folder),
                    model::unmerge, () -> model.deleteAdapter("other"),
                    () -> model.addAdapter("new", lora(2, "q_proj")),
                    () -> {
                        try (PeftModel.Scope outer = model.disable(); PeftModel.Scope inner = model.disable()) {
                            assertEquals(List.of(), model.activeAdapters());
                        }
                    });
            for (Runnable event : events) {
                event.run();
                assertArrayEquals(expected, byRow(model));
                assertEquals(List.of("a", "b"), model.activeAdapters());
            }
            model.hotSwap("b", folder);
            float[] swapped = byRow(model);
            assertFalse(java.util.Arrays.equals(expected, swapped));
            assertArrayEquals(byRow(model.byRow("a", "b", PeftModel.BASE)), swapped);
        }
    }

    @Test
    void adaptersByRowAreNeitherMergedNorDeleted() {
        try (PeftModel model = threeAdapters()) {
            model.activateByRow("a", "b", PeftModel.BASE);
            float[] expected = byRow(model);
            assertRefused("active by row", model::merge);
            assertRefused("active by row", () -> model.merge(MergeCheck.defaults()));
            assertRefused("it is active for rows of a batch", () -> model.deleteAdapter("b"));
            try (PeftModel.Scope disabled = model.disable()) {
                assertRefused("it is active for rows of a batch", () -> model.deleteAdapter("b"));
            }
            assertArrayEquals(expected, byRow(model));
            model.activate("a");
            model.deleteAdapter("b");
        }
    }

    @Test
    void aScopeEndsWithoutWhatWasDeletedInIt() {
        try (PeftModel model = threeAdapters()) {
            model.activate("a", "b");
            PeftModel.Scope disabled = model.disable();
            model.deleteAdapter("a");
            disabled.close();
            assertEquals(List.of("b"), model.activeAdapters());
            assertArrayEquals(Passes.logits(model.with("b"), SEQUENCES), logits(model));
            model.activate("other");
            disabled.close();
            assertEquals(List.of("other"), model.activeAdapters());
        }
    }

    private PeftModel threeAdapters() {
        return new PeftModel(base).addAdapter("a", lora(2, "q_proj", "v_proj"), new SplittableRandom(1))
                .addAdapter("b", lora(2, "q_proj", "v_proj"), new SplittableRandom(2))
                .addAdapter("other", lora(2, "q_proj", "v_proj"), new SplittableRandom(3));
    }

    private static float[] byRow(LanguageModel model) {
        return Passes.groupedLogits(model, List.of(TokenSequence.allSupervised(1, 5, 3, 5, 2, 9),
                TokenSequence.allSupervised(1, 5, 3, 5, 2, 9).inGroup(1),
                TokenSequence.allSupervised(4, 12, 8, 4).inGroup(2)));
    }

    private static void assertRefused(String reason, Executable call) {
        String message = assertThrows(ConfigurationException.class, call).getMessage();
        assertTrue(message.contains(reason), message);
    }

    private static boolean isClosed(Parameter parameter) {
        return parameter.value().wasClosed();
    }
}
