package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What LoRA does with a model, and what it refuses. */
class LoraRulesTest {
    private static final TinyModel MODEL = new TinyModel(new TinyNetwork(1, false, false));
    private static final TinyModel TIED = new TinyModel(new TinyNetwork(2, false, true));

    @AfterAll
    static void close() {
        MODEL.close();
        TIED.close();
    }

    private static PeftModel model(LoraConfigBuilder builder) {
        return PeftModel.of(MODEL, builder.build());
    }

    private static void assertRefused(Class<? extends PeftException> type, LoraConfigBuilder builder, String part) {
        String message = assertThrows(type, () -> model(builder)).getMessage();
        assertTrue(message.contains(part), message);
    }

    private static float[] values(PeftModel model, String path, String tensor) {
        AdapterLayer layer = model.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                .filter(l -> l.slot().path().equals(path)).findFirst().orElseThrow();
        AdapterTensor found = layer.tensors().stream().filter(t -> t.name().equals(tensor)).findFirst().orElseThrow();
        return Arrays.toFloats(found.parameter().value());
    }

    @Test
    void tokensThatCannotBeTrainedAreRefused() {
        assertRefused(ConfigurationException.class, LoraConfig.builder().trainableTokens(13), "token 13");
        assertRefused(ConfigurationException.class, LoraConfig.builder().targetModules("embed_tokens")
                .trainableTokens(1), "model.embed_tokens, which is also in target_modules or modules_to_save");
        assertRefused(ConfigurationException.class, LoraConfig.builder().modulesToSave("embed_tokens")
                .trainableTokens(1), "model.embed_tokens, which is also in target_modules or modules_to_save");
        assertRefused(TargetModuleException.class, LoraConfig.builder().trainableTokens(
                TokenIndices.byLayer(Map.of("wte", List.of(1)))), "'wte' matches no layer");
        assertRefused(TargetModuleException.class, LoraConfig.builder().trainableTokens(
                TokenIndices.byLayer(Map.of("model.norm", List.of(1)))), "not in model.norm (RmsNorm)");
    }

    @Test
    void tiedEndsAreKeptTiedWhereAskedFor() {
        LoraConfigBuilder tied = LoraConfig.builder().targetModules("q_proj").ensureWeightTying(true);
        try (PeftModel model = PeftModel.of(TIED, tied.modulesToSave("lm_head").build())) {
            assertEquals(List.of("model.embed_tokens", "lm_head"), model.adapter(PeftModel.DEFAULT_ADAPTER).layers()
                    .stream().filter(AdapterLayer::replacesBase).map(layer -> layer.slot().path()).toList());
        }
        for (LoraConfig config : List.of(
                tied.modulesToSave(List.of()).targetModules("embed_tokens").dora(true).build(),
                tied.dora(false).initialization(LoraInit.MICA).build(),
                tied.initialization(LoraInit.KAIMING).targetModules("q_proj")
                        .trainableTokens(TokenIndices.byLayer(Map.of("embed_tokens", List.of(1),
                                "lm_head", List.of(2))))
                        .build())) {
            String message = assertThrows(ConfigurationException.class, () -> PeftModel.of(TIED, config)).getMessage();
            assertTrue(message.contains("ensure_weight_tying"), message);
        }
        // Two matrices are not tied.
        try (PeftModel model = model(LoraConfig.builder().ensureWeightTying(true).modulesToSave("lm_head"))) {
            assertEquals(1, model.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                    .filter(AdapterLayer::replacesBase).count());
        }
    }

    @Test
    void mismatchesWithTheModelAreRefused() {
        assertRefused(TargetModuleException.class, LoraConfig.builder().targetModules("query"), "'query'");
        assertRefused(TargetModuleException.class, LoraConfig.builder().targetModules("norm"), "(RmsNorm)");
        for (String target : List.of("embed_tokens", "lm_head")) {
            assertRefused(ConfigurationException.class, LoraConfig.builder().targetModules(target).invocationTokens(1),
                    "alora_invocation_tokens do not work on");
        }
        assertRefused(TargetModuleException.class, LoraConfig.builder().modulesToSave("score"),
                "'score' matches no layer");
        assertRefused(ConfigurationException.class, LoraConfig.builder().rankPattern(Map.of("up_proj", 2)),
                "[up_proj]");
        assertRefused(ConfigurationException.class, LoraConfig.builder().alphaPattern(Map.of("q_", 2.0)), "[q_]");
        assertRefused(ConfigurationException.class, LoraConfig.builder().rankPattern(Map.of("(", 2)),
                "regular expression");
        assertRefused(ConfigurationException.class, LoraConfig.builder().fanInFanOut(true), "fan_in_fan_out");
        assertRefused(ConfigurationException.class,
                LoraConfig.builder().targetModules("embed_tokens").loraBias(true),
                "lora_bias is not supported on embeddings");
        // PEFT's modules_to_save match also within a name, its exclusion of them from the targets does not.
        assertRefused(ConfigurationException.class,
                LoraConfig.builder().targetModules("q_proj").modulesToSave("_proj"),
                "both in target_modules and in modules_to_save");
    }

    @Test
    void aRefusalLeavesTheModelUsable() {
        try (PeftModel model = model(LoraConfig.builder())) {
            assertThrows(TargetModuleException.class,
                    () -> model.addAdapter("second", LoraConfig.builder().targetModules("query").build()));
            assertEquals(List.of("default"), model.adapterNames());
            for (String name : List.of("default", "", "a/b", "../x", ".", "a.b", "__base__", "a b")) {
                assertThrows(ConfigurationException.class, () -> model.addAdapter(name, LoraConfig.builder().build()),
                        name);
            }
            assertThrows(ConfigurationException.class, () -> model.activate("third"));
            assertThrows(ConfigurationException.class, () -> model.deleteAdapter("third"));
            assertThrows(ConfigurationException.class, model::mergedWeights);
            assertEquals(List.of("default"), model.activeAdapters());
        }
    }

    @Test
    void whileMergedNothingElseChanges() {
        try (PeftModel model = model(LoraConfig.builder().initialization(LoraInit.RANDOM))) {
            model.merge();
            assertEquals(Set.of("model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.v_proj.weight",
                    "model.layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.v_proj.weight"),
                    model.mergedWeights().keySet());
            assertThrows(ConfigurationException.class, model::merge);
            assertThrows(ConfigurationException.class, model::disable);
            assertThrows(ConfigurationException.class, () -> model.deleteAdapter("default"));
            assertThrows(ConfigurationException.class, () -> model.addAdapter("second", LoraConfig.builder().build()));
            model.unmerge();
            model.unmerge();
            model.activate();
            assertThrows(ConfigurationException.class, model::merge);
        }
    }

    /** Both uses of a shared weight get their own merged copy: the change of one does not reach the other. */
    @Test
    void mergingOnATiedModelChangesOneUse() {
        LoraConfig config = LoraConfig.builder().targetModules("lm_head").initialization(LoraInit.RANDOM).build();
        try (PeftModel model = PeftModel.of(TIED, config)) {
            model.merge();
            assertEquals(Set.of("lm_head.weight"), model.mergedWeights().keySet());
            INDArray table = TIED.network().weights().get(0);
            assertFalse(java.util.Arrays.equals(Arrays.toFloats(table),
                    Arrays.toFloats(model.mergedWeights().get("lm_head.weight"))));
        }
    }

    @Test
    void brokenValuesAreNotMerged() {
        try (PeftModel model = model(LoraConfig.builder().targetModules("q_proj"))) {
            INDArray b = model.trainableParameters().get(1).value();
            Arrays.write(b, 0, new float[] {Float.NaN}, 0, 1);
            String message = assertThrows(ConfigurationException.class, model::merge).getMessage();
            assertTrue(message.contains("NaN"), message);
            assertFalse(model.isMerged());
        }
    }

    /** y = W x + s B A x, computed by hand for one layer from the merged weight. */
    @Test
    void theChangeIsScalingTimesBTimesA() {
        String path = "model.layers.1.mlp.down_proj";
        for (boolean rsLora : new boolean[] {false, true}) {
            LoraConfig config = LoraConfig.builder().rank(4).alpha(6).rsLora(rsLora).targetModules(path)
                    .initialization(LoraInit.RANDOM).build();
            try (PeftModel model = PeftModel.of(MODEL, config)) {
                float[] a = values(model, path, "lora_A.weight");
                float[] b = values(model, path, "lora_B.weight");
                float[] base = new float[TinyNetwork.INNER];
                model.merge();
                float[] merged = Arrays.toFloats(model.mergedWeights().get(path + ".weight"));
                io.peft4j.core.nn.Linear linear = (io.peft4j.core.nn.Linear) MODEL.network().slot(path).layer();
                for (int i = 0; i < TinyNetwork.HIDDEN; i++) {
                    linear.weight().readRow(i, base, 0);
                    for (int j = 0; j < base.length; j++) {
                        double sum = 0;
                        for (int k = 0; k < 4; k++) {
                            sum += (double) b[i * 4 + k] * a[k * base.length + j];
                        }
                        double expected = base[j] + (rsLora ? 3 : 1.5) * sum;
                        // One rounding to f32.
                        assertEquals(expected, merged[i * base.length + j], 1e-7 * Math.max(1, Math.abs(expected)));
                    }
                }
            }
        }
    }

    @Test
    void initializationsHaveTheirDistributions() {
        String path = "lm_head";
        LoraConfigBuilder builder = LoraConfig.builder().rank(400).targetModules(path);
        try (PeftModel kaiming = model(builder);
                PeftModel gaussian = model(builder.initialization(LoraInit.GAUSSIAN));
                PeftModel random = model(builder.initialization(LoraInit.RANDOM))) {
            float[] a = values(kaiming, path, "lora_A.weight");
            double bound = 1 / Math.sqrt(TinyNetwork.HIDDEN);
            // 3200 draws: the largest comes within 1 % of the bound, the deviation within 5 % of its own.
            assertEquals(bound, largest(a), 0.01 * bound);
            assertEquals(bound / Math.sqrt(3), deviation(a), 0.05 * bound);
            assertEquals(0, largest(values(kaiming, path, "lora_B.weight")));
            assertEquals(1.0 / 400, deviation(values(gaussian, path, "lora_A.weight")), 0.05 / 400);
            assertEquals(0, largest(values(gaussian, path, "lora_B.weight")));
            assertEquals(1 / Math.sqrt(400), largest(values(random, path, "lora_B.weight")), 0.01);
        }
        try (PeftModel embedding = model(LoraConfig.builder().rank(400).targetModules("embed_tokens"))) {
            assertEquals(0, largest(values(embedding, "model.embed_tokens", "lora_embedding_A")));
            assertEquals(1, deviation(values(embedding, "model.embed_tokens", "lora_embedding_B")), 0.05);
        }
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double deviation(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum / values.length);
    }

    @Test
    void closingFreesTheAdaptersAndRefusesFurtherQuestions() {
        PeftModel model = model(LoraConfig.builder().initialization(LoraInit.RANDOM));
        float[] base = Passes.logits(MODEL, List.of(new int[] {1, 2, 3}));
        model.merge();
        INDArray merged = model.mergedWeights().values().iterator().next();
        LanguageModel view = model.with("default");
        model.close();
        model.close();
        assertTrue(merged.wasClosed());
        assertEquals(List.of(), model.adapterNames());
        assertThrows(ClosedException.class, () -> Passes.logits(model, List.of(new int[] {1, 2, 3})));
        assertThrows(ClosedException.class, () -> model.generate("Who?"));
        assertThrows(ClosedException.class, () -> Passes.logits(view, List.of(new int[] {1, 2, 3})));
        assertThrows(ClosedException.class, () -> model.addAdapter("more", LoraConfig.builder().build()));
        assertThrows(ClosedException.class, () -> model.adapter("default"));
        assertArrayEquals(base, Passes.logits(MODEL, List.of(new int[] {1, 2, 3})));
    }

    @Test
    void aNewAdapterSaysWhatItIsMadeForAndWhereItSits() {
        try (PeftModel model = model(LoraConfig.builder())) {
            LoraConfig config = (LoraConfig) model.adapter("default").config();
            assertEquals(Optional.of("tiny"), config.common().baseModel());
            assertEquals(Optional.of(List.of("q_proj", "v_proj")), config.targetModules().names());
        }
    }

    /** HF PEFT: 4,884,480 of 139,399,488 are 3.5039 %. Here the numbers of the tiny network, with commas. */
    @Test
    void theSummaryIsThatOfPeft() {
        try (PeftModel model = model(LoraConfig.builder().rank(64).targetModules("q_proj"))) {
            assertEquals("trainable params: 2,048 || all params: 3,256 || trainable%: 62.8993",
                    model.trainableSummary());
            model.activate();
            assertEquals("trainable params: 0 || all params: 3,256 || trainable%: 0.0000", model.trainableSummary());
        }
    }

    /** Active adapters add up: A then B is B then A, and the sum of both changes. */
    @Test
    void activeAdaptersAddUp() {
        List<int[]> sequences = List.of(new int[] {1, 2, 3, 4});
        LoraConfig config = LoraConfig.builder().targetModules("lm_head").initialization(LoraInit.RANDOM).build();
        try (PeftModel model = PeftModel.of(MODEL, config, new SplittableRandom(1))) {
            model.addAdapter("second", config, new SplittableRandom(2));
            float[] base = Passes.logits(MODEL, sequences);
            float[] first = Passes.logits(model.with("default"), sequences);
            float[] second = Passes.logits(model.with("second"), sequences);
            float[] both = Passes.logits(model.with("default", "second"), sequences);
            float[] sum = new float[base.length];
            for (int i = 0; i < sum.length; i++) {
                sum[i] = first[i] + second[i] - base[i];
            }
            // Two roundings of numbers around 10.
            assertArrayEquals(sum, both, 1e-5f);
            model.activate("default", "second");
            assertEquals(2 * 8 * (TinyNetwork.HIDDEN + TinyNetwork.VOCABULARY), model.trainableParameterCount());
        }
    }
}
