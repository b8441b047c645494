package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.lora.AdaLoraConfig;
import io.peft4j.lora.BlockDiagonal;
import io.peft4j.lora.Kasa;
import io.peft4j.lora.LayerRange;
import io.peft4j.lora.LoHaConfig;
import io.peft4j.lora.LoKrConfig;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.lora.MissConfig;
import io.peft4j.lora.Monteclora;
import io.peft4j.lora.PveraConfig;
import io.peft4j.lora.RandLoraConfig;
import io.peft4j.lora.VbLoraConfig;
import io.peft4j.lora.Velora;
import io.peft4j.lora.VeraConfig;
import io.peft4j.lora.XLoraConfig;
import io.peft4j.lora.init.Corda;
import io.peft4j.lora.init.Eva;
import io.peft4j.lora.init.LoraGa;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.methods.AdamssConfig;
import io.peft4j.methods.AdaptionPromptConfig;
import io.peft4j.methods.BeftConfig;
import io.peft4j.methods.BoftConfig;
import io.peft4j.methods.C3aConfig;
import io.peft4j.methods.CartridgeConfig;
import io.peft4j.methods.CptConfig;
import io.peft4j.methods.DeftConfig;
import io.peft4j.methods.DeloraConfig;
import io.peft4j.methods.FourierFtConfig;
import io.peft4j.methods.FrodConfig;
import io.peft4j.methods.GloraConfig;
import io.peft4j.methods.GraloraConfig;
import io.peft4j.methods.HiraConfig;
import io.peft4j.methods.HraConfig;
import io.peft4j.methods.Ia3Config;
import io.peft4j.methods.LilyConfig;
import io.peft4j.methods.LnTuningConfig;
import io.peft4j.methods.MultitaskPromptConfig;
import io.peft4j.methods.OftConfig;
import io.peft4j.methods.OsfConfig;
import io.peft4j.methods.PTuningConfig;
import io.peft4j.methods.PeanutConfig;
import io.peft4j.methods.PolyConfig;
import io.peft4j.methods.PrefixTuningConfig;
import io.peft4j.methods.PromptTuningConfig;
import io.peft4j.methods.RoadConfig;
import io.peft4j.methods.ShadowConfig;
import io.peft4j.methods.ShiraConfig;
import io.peft4j.methods.SupertuningConfig;
import io.peft4j.methods.TinyLoraConfig;
import io.peft4j.methods.TrainableTokensConfig;
import io.peft4j.methods.UniLoraConfig;
import io.peft4j.methods.WaveFtConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Adapters of every kind, trained here and saved under {@code target/saved-adapters/<model>/<name>} with the numbers
 * that their models gave. Here they are loaded again; the fixtures' {@code check_all_saved.sh} loads them in Hugging
 * Face PEFT.
 */
@Tag("full")
class SavedAdaptersTest {
    private static final Path FOLDER = Path.of("target", "saved-adapters");
    private static final String[] ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"};

    static Stream<Arguments> adapters() {
        return Stream.of(
                row("tiny-llama", "lora", lora().targetModules(TargetModules.ALL_LINEAR)),
                row("tiny-llama", "default-targets", lora()),
                row("tiny-llama", "gaussian", lora().initialization(LoraInit.GAUSSIAN)),
                row("tiny-llama", "random", lora().initialization(LoraInit.RANDOM)),
                row("tiny-llama", "dropout", lora().dropout(0.2).targetModules(ATTENTION)),
                row("tiny-llama", "rslora", lora().rsLora(true).alpha(7.5).targetModules(ATTENTION)),
                row("tiny-llama", "patterns", lora().targetModules("q_proj", "k_proj", "down_proj")
                        .rankPattern(Map.of("down_proj", 6)).alphaPattern(Map.of("layers\\.1\\..*_proj", 12.0))),
                row("tiny-llama", "layers", lora().targetModules("q_proj", "down_proj").layersToTransform(0, 2)
                        .layersPattern("layers")),
                row("tiny-llama", "regex", lora().targetModules(TargetModules.regex(
                        ".*\\.layers\\.(0|2)\\.(self_attn\\.[qv]_proj|mlp\\.down_proj)"))),
                row("tiny-llama", "exclude", lora().targetModules(ATTENTION)
                        .excludeModules("layers.1.self_attn.q_proj")),
                row("tiny-llama", "embedding", lora().targetModules("embed_tokens", "q_proj")),
                row("tiny-llama", "lm-head", lora().targetModules("lm_head", "q_proj")),
                row("tiny-llama", "tied", lora().targetModules("lm_head", "q_proj").ensureWeightTying(true)),
                row("tiny-llama", "modules-to-save", lora().targetModules("q_proj").modulesToSave("lm_head")),
                row("tiny-llama", "lora-tokens", lora().targetModules("q_proj").trainableTokens(1, 2, 87, 300)),
                row("tiny-llama-untied", "lora-tokens", lora().targetModules("q_proj").trainableTokens(
                        TokenIndices.byLayer(Map.of("embed_tokens", List.of(87, 2), "lm_head", List.of(87))))),
                row("tiny-llama", "olora", lora().initialization(LoraInit.OLORA)),
                row("tiny-llama", "pissa", lora().initialization(LoraInit.PISSA).rsLora(true)),
                row("tiny-llama", "mica", lora().initialization(LoraInit.MICA).targetModules("q_proj")),
                row("tiny-llama", "mica-embedding", lora().initialization(LoraInit.MICA)
                        .targetModules("embed_tokens", "q_proj")),
                row("tiny-llama", "orthogonal", lora().initialization(LoraInit.ORTHOGONAL)),
                row("tiny-llama", "adalora", AdaLoraConfig.builder().initialRank(6).targetRank(3).warmup(1).finish(1)
                        .targetModules("q_proj", "down_proj").build()),
                row("tiny-llama", "loha", LoHaConfig.builder().rank(3).alpha(6).targetModules("q_proj", "up_proj")
                        .build()),
                row("tiny-llama", "lokr", LoKrConfig.builder().rank(2).alpha(4)
                        .targetModules(TargetModules.ALL_LINEAR).build()),
                row("tiny-llama-untied", "lokr", LoKrConfig.builder().rank(1).decomposeBoth(true)
                        .targetModules(ATTENTION).build()),
                row("tiny-llama", "vera", VeraConfig.builder().rank(16).dInitial(0.5).targetModules(ATTENTION)
                        .build()),
                row("tiny-llama", "randlora", RandLoraConfig.builder().rank(6).alpha(30)
                        .targetModules("q_proj", "down_proj").build()),
                row("tiny-llama-untied", "randlora", RandLoraConfig.builder().rank(8).alpha(8).sparse(true)
                        .targetModules("v_proj", "up_proj").build()),
                row("tiny-llama", "vblora", VbLoraConfig.builder().rank(3).vectors(12).vectorLength(8)
                        .targetModules("q_proj", "v_proj").build()),
                row("tiny-llama", "miss", MissConfig.builder().rank(8).targetModules(ATTENTION).build()),
                row("tiny-llama-untied", "miss-rest", MissConfig.builder().rank(7).targetModules("q_proj", "down_proj")
                        .build()),
                row("tiny-llama", "miss-bat", MissConfig.builder().rank(4).initialization(MissConfig.Initialization.BAT)
                        .targetModules("q_proj", "v_proj").build()),
                row("tiny-llama", "dora", lora().dora(true).targetModules(TargetModules.ALL_LINEAR)),
                row("tiny-llama-untied", "dora", lora().dora(true).targetModules("embed_tokens", "q_proj")),
                row("tiny-llama", "alora", lora().targetModules(TargetModules.ALL_LINEAR).invocationTokens(261)),
                row("tiny-llama-untied", "alora-bias", lora().loraBias(true).targetModules(ATTENTION)
                        .invocationTokens(271, 261)),
                row("tiny-llama-untied", "lora", lora().targetModules(TargetModules.ALL_LINEAR)),
                row("tiny-llama-untied", "lora-bias", lora().loraBias(true).targetModules(ATTENTION)),
                row("tiny-llama-untied", "bias-all", lora().bias(Bias.ALL).targetModules("q_proj", "v_proj")),
                row("tiny-llama-untied", "bias-lora-only", lora().bias(Bias.ADAPTED)
                        .targetModules("q_proj", "up_proj")),
                row("tiny-llama-untied", "embedding", lora().targetModules("embed_tokens", "q_proj")),
                row("tiny-llama-untied", "lm-head", lora().targetModules("lm_head", "q_proj")),
                row("tiny-llama-untied", "modules-to-save", lora().targetModules("q_proj", "v_proj")
                        .modulesToSave("embed_tokens", "lm_head", "input_layernorm", "model.norm")),
                row("tiny-llama-sharded", "lora", lora().targetModules(TargetModules.ALL_LINEAR)),
                row("tiny-llama-bf16", "lora", lora().targetModules(TargetModules.ALL_LINEAR)));
    }

    /** Variants of LoRA that are settings of their own. */
    static Stream<Arguments> variants() {
        return Stream.of(
                row("tiny-llama", "kasa", lora().targetModules("q_proj", "down_proj").kasa(new Kasa(1e-4, 1e-3))),
                row("tiny-llama", "velora", lora().targetModules("q_proj", "down_proj").velora(
                        new Velora(5, 1, Velora.Direction.AVERAGE))),
                row("tiny-llama-untied", "monteclora", lora().targetModules("q_proj", "down_proj").monteclora(
                        Monteclora.of(4))),
                row("tiny-llama", "bdlora", lora().targetModules("o_proj", "v_proj").blocks(
                        new BlockDiagonal(List.of("o_proj"), List.of("v_proj"), 2, true))));
    }

    /** Other models and beginnings than those of plain LoRA. */
    static Stream<Arguments> beginnings() {
        return Stream.of(
                row("tiny-llama", "replicated", lora().targetModules("q_proj", "down_proj").layerReplication(
                        new LayerRange(0, 2), new LayerRange(1, 3))),
                row("tiny-llama", "poly", PolyConfig.builder().rank(2).skills(3).tasks(2).task(1).build()),
                row("tiny-llama-untied", "multitask", MultitaskPromptConfig.builder().virtualTokens(4).rank(2)
                        .tasks(3).task(2).build()),
                row("tiny-llama", "shadow", ShadowConfig.builder().rank(4).build()),
                row("tiny-llama-untied", "shadow", ShadowConfig.builder().layers(2).hiddenSize(16)
                        .intermediateSize(24).targetModules("layers.1", "layers.0").build()),
                row("tiny-llama", "xlora", XLoraConfig.builder().depth(2).size(8).layerwise(true)
                        .adapters(new TreeMap<>(Map.of("a", Fixtures.adapter("layers").toString(), "b",
                                Fixtures.adapter("rslora").toString())))
                        .build()),
                row("tiny-llama", "eva", lora().initialization(Eva.builder().build())
                        .targetModules(ATTENTION)),
                row("tiny-llama-untied", "corda", lora().targetModules("q_proj", "down_proj").initialization(
                        Corda.builder().build())),
                row("tiny-llama", "lora-ga", lora().targetModules("q_proj", "v_proj").initialization(
                        LoraGa.builder().build())));
    }

    /**
     * Of the other methods those that Hugging Face PEFT has, as it computes them on a CPU; but PSOFT, whose directions
     * in the file it does not read, and decomposes the weights itself, with other signs.
     */
    static Stream<Arguments> methods() {
        return Stream.of(
                Arguments.of("tiny-llama", "ia3", Ia3Config.builder().build()),
                Arguments.of("tiny-llama-untied", "ia3", Ia3Config.builder()
                        .targetModules("q_proj", "up_proj", "down_proj").feedforwardModules("down_proj")
                        .modulesToSave("norm").build()),
                Arguments.of("tiny-llama", "ln", LnTuningConfig.builder().build()),
                Arguments.of("tiny-llama", "prompt", PromptTuningConfig.builder().virtualTokens(5).build()),
                Arguments.of("tiny-llama-untied", "prompt", PromptTuningConfig.builder().virtualTokens(4)
                        .initText("The keeper").build()),
                Arguments.of("tiny-llama", "p-tuning", PTuningConfig.builder().virtualTokens(4).build()),
                Arguments.of("tiny-llama", "p-tuning-lstm", PTuningConfig.builder().virtualTokens(4)
                        .encoder(PTuningConfig.Encoder.LSTM).hiddenSize(16).build()),
                Arguments.of("tiny-llama", "prefix", PrefixTuningConfig.builder().virtualTokens(5).build()),
                Arguments.of("tiny-llama-untied", "prefix", PrefixTuningConfig.builder().virtualTokens(3)
                        .projection(true).hiddenSize(16).build()),
                Arguments.of("tiny-llama", "oft", OftConfig.builder().blockSize(8).targetModules(ATTENTION).build()),
                Arguments.of("tiny-llama-untied", "oft", OftConfig.builder().blocks(4).blockSize(0)
                        .cayleyNeumann(false).targetModules(ATTENTION).bias(Bias.ADAPTED).build()),
                Arguments.of("tiny-llama", "oft-ball", OftConfig.builder().blockSize(8).constrained(true).eps(0.5)
                        .targetModules("embed_tokens", "q_proj").build()),
                Arguments.of("tiny-llama", "boft", BoftConfig.builder().build()),
                Arguments.of("tiny-llama-untied", "boft", BoftConfig.builder().blocks(4).blockSize(0)
                        .targetModules(ATTENTION).bias(Bias.ADAPTED).build()),
                Arguments.of("tiny-llama", "hra", HraConfig.builder().targetModules(ATTENTION).build()),
                Arguments.of("tiny-llama-untied", "hra", HraConfig.builder().rank(3).gramSchmidt(true).build()),
                Arguments.of("tiny-llama", "fourier", FourierFtConfig.builder().frequencies(90).build()),
                Arguments.of("tiny-llama", "c3a", C3aConfig.builder().blockSize(8).build()),
                Arguments.of("tiny-llama", "shira", ShiraConfig.builder().rank(4).build()),
                Arguments.of("tiny-llama-untied", "shira", ShiraConfig.builder().rank(2).seed(5).build()),
                Arguments.of("tiny-llama", "tokens", TrainableTokensConfig.builder().tokenIndices(1, 2, 87, 300)
                        .build()),
                Arguments.of("tiny-llama-untied", "tokens", TrainableTokensConfig.builder().tokenIndices(1, 87)
                        .build()),
                Arguments.of("tiny-llama", "adaption", AdaptionPromptConfig.builder().length(4).layers(2).build()),
                Arguments.of("tiny-llama-untied", "beft", BeftConfig.builder().build()),
                Arguments.of("tiny-llama-untied", "road", RoadConfig.builder().groupSize(8).build()),
                Arguments.of("tiny-llama", "road", RoadConfig.builder().groupSize(4).variant(RoadConfig.Variant.ROAD_4)
                        .targetModules(ATTENTION).build()),
                Arguments.of("tiny-llama", "hira", HiraConfig.builder().rank(4).targetModules("embed_tokens", "q_proj")
                        .build()),
                Arguments.of("tiny-llama-untied", "delora", DeloraConfig.builder().rank(4).lambda(2)
                        .bias(Bias.ADAPTED).build()),
                Arguments.of("tiny-llama", "peanut", PeanutConfig.builder().rank(4).depth(1).build()),
                Arguments.of("tiny-llama", "gralora", GraloraConfig.builder().rank(4).hybridRank(2).build()),
                Arguments.of("tiny-llama-untied", "glora", GloraConfig.builder().rank(2).build()),
                Arguments.of("tiny-llama", "glora", GloraConfig.builder().weightForm(GloraConfig.Form.VECTOR).build()),
                Arguments.of("tiny-llama", "deft", DeftConfig.builder().rank(4).build()),
                Arguments.of("tiny-llama-untied", "deft", DeftConfig.builder().rank(4).alpha(6)
                        .decomposition(DeftConfig.Decomposition.QR).build()),
                Arguments.of("tiny-llama-untied", "supertuning", SupertuningConfig.builder().sparsity(0.9).rank(2)
                        .build()),
                Arguments.of("tiny-llama", "unilora", UniLoraConfig.builder().length(60).build()),
                Arguments.of("tiny-llama-untied", "unilora", UniLoraConfig.builder().saveIndices(true).build()),
                Arguments.of("tiny-llama", "tinylora", TinyLoraConfig.builder().length(9).build()),
                Arguments.of("tiny-llama-untied", "tinylora", TinyLoraConfig.builder().length(9).weightTying(0.5)
                        .saveProjection(false).build()),
                Arguments.of("tiny-llama", "pvera", PveraConfig.builder().rank(16).saveProjection(false).build()),
                Arguments.of("tiny-llama", "waveft", WaveFtConfig.builder().frequencies(90).build()),
                Arguments.of("tiny-llama-untied", "waveft", WaveFtConfig.builder().frequencies(60).wavelet("db3")
                        .build()),
                Arguments.of("tiny-llama", "osf", OsfConfig.builder().keptRank(0.75).targetModules(ATTENTION).build()),
                Arguments.of("tiny-llama-untied", "adamss", AdamssConfig.builder().rank(9).clusters(3)
                        .targetModules(ATTENTION).build()),
                Arguments.of("tiny-llama", "frod", FrodConfig.builder().sparseRate(0.05).build()),
                Arguments.of("tiny-llama", "lily", LilyConfig.builder().rank(4).stride(2).build()),
                Arguments.of("tiny-llama", "cartridge", CartridgeConfig.builder().virtualTokens(5).build()),
                Arguments.of("tiny-llama", "cpt", CptConfig.builder().tokenIds(List.of(5, 87, 2)).epsilon(2)
                        .formatEpsilon(2).build()));
    }

    private static LoraConfigBuilder lora() {
        return LoraConfig.builder().rank(4).alpha(8);
    }

    private static Arguments row(String model, String name, LoraConfigBuilder config) {
        return row(model, name, config.build());
    }

    private static Arguments row(String model, String name, PeftConfig config) {
        return Arguments.of(model, name, config);
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource({"adapters", "variants", "beginnings", "methods"})
    void aTrainedAdapterIsTheSameFromItsFolder(String model, String name, PeftConfig config) throws IOException {
        Path folder = FOLDER.resolve(model).resolve(name);
        deleteTree(folder);
        List<TokenSequence> texts = Fixtures.texts(model);
        BaseModel base = KernelsUnderTest.sharedBest(model);
        double[] trained;
        try (PeftModel adapted = PeftModel.of(base, config, new SplittableRandom(name.hashCode()),
                Optional.of(CalibrationBatches.of(Fixtures.examples(), 4, 3)))) {
            train(adapted, folder);
            trained = Measure.together(adapted, texts);
        }
        assertFalse(java.util.Arrays.equals(Measure.together(base, texts), trained), "training changes something");
        try (PeftModel loaded = PeftModel.load(base, folder)) {
            // The ranks that AdaLoRA cuts are zeros in training and not there in the file: sums of fewer terms.
            double tolerance = config instanceof AdaLoraConfig ? 1e-5 : Double.MIN_VALUE;
            assertArrayEquals(trained, Measure.together(loaded, texts), tolerance);
            writeNumbers(loaded, texts, folder);
        }
    }

    /** A model with two adapters is a folder with a folder in it. */
    @Test
    void twoAdaptersAreSavedTogether() throws IOException {
        String second = "second";
        Path folder = FOLDER.resolve("tiny-llama").resolve("two");
        deleteTree(folder);
        List<TokenSequence> texts = Fixtures.texts("tiny-llama");
        BaseModel base = KernelsUnderTest.sharedBest("tiny-llama");
        try (PeftModel adapted = PeftModel.of(base, lora().build())) {
            adapted.addAdapter(second, lora().rank(2).targetModules("up_proj").build(), new SplittableRandom(2));
            for (String name : adapted.adapterNames()) {
                adapted.activate(name);
                train(adapted, folder.resolve("runs").resolve(name));
            }
            adapted.saveAdapter(folder);
            for (String name : adapted.adapterNames()) {
                adapted.activate(name);
                Path own = name.equals(second) ? folder.resolve(second) : folder;
                writeNumbers(adapted, texts, own);
                try (PeftModel loaded = PeftModel.load(base, own)) {
                    assertArrayEquals(Measure.oneByOne(adapted, texts), Measure.oneByOne(loaded, texts));
                }
            }
        } finally {
            deleteTree(folder.resolve("runs"));
        }
    }

    /** Far enough from where it began that a wrong file is seen. */
    private static void train(PeftModel model, Path output) {
        List<TokenSequence> examples = Fixtures.examples();
        Trainer.builder(model).epochs(3).batchSize(4).learningRate(1e-2).output(output).build().train(examples);
    }

    /** What {@code check_saved_adapter.py} compares with. */
    private static void writeNumbers(PeftModel model, List<TokenSequence> texts, Path folder) throws IOException {
        ObjectMapper json = new ObjectMapper();
        ObjectNode numbers = json.createObjectNode();
        numbers.set("input_ids", json.valueToTree(texts.stream().map(TokenSequence::ids).toList()));
        numbers.set("nll", json.valueToTree(Measure.oneByOne(model, texts)));
        ArrayNode logits = numbers.putArray("logits");
        for (int row = 0; row < 2; row++) {
            int position = texts.get(row).length() / 2;
            logits.addObject().put("row", row).put("position", position)
                    .set("values", json.valueToTree(Measure.logits(model, texts.get(row).ids(), position)));
        }
        json.writeValue(folder.resolve("peft4j_numbers.json").toFile(), numbers);
    }

    private static void deleteTree(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> tree = Files.walk(folder)) {
                for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
                    Files.delete(path);
                }
            }
        }
    }
}
