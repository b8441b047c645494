package io.peft4j.fuzz;

import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** GGUF files of the families of models, of all block types, and with each kind of tokenizer. */
final class GgufTargets {
    private static final Path BLOCKS = Path.of("../../peft-core", "src", "test", "resources", "fixtures", "gguf",
            "types.gguf");
    private static final String LAYA = "laya";
    private static final List<String> FAMILIES = List.of("qwen3", "phi3", "gpt2", "gpt-neox", "granite", "olmo3",
            "smollm3", "glm4", "llama-longrope", "ministral3", LAYA, "bert.gguf", "t5.gguf", "flan-t5.gguf");
    private static final Map<String, byte[]> WRITTEN = new HashMap<>();
    private static final List<String> PIECES = List.of("<unk>", "<s>", "</s>", "<0x0A>", "\u2581", "a", "b", "ab",
            "\u2581a", "\u2581ab", "  ", "\u0120", "\u0120a", "[CLS]", "[SEP]", "[UNK]", "c", "A");
    private static final List<String> PRE = List.of("default", "gpt-2", "olmo", "smollm", "command-r", "llama-bpe",
            "dbrx", "qwen2", "qwen35", "tekken", "gpt-4o", "deepseek-v3", "deepseek-coder");
    private static final List<String> TEXTS = List.of("", " ", "ab  ab a\n", "12345 it's", "\0\ud800", "e\u0301 A",
            "\u4f60\u597d \u3042", "a".repeat(2000));

    private GgufTargets() {
    }

    static List<FuzzTarget> all() {
        return List.of(new FuzzTarget("GGUF of a family", 2, GgufTargets::family, ModelTargets::readGguf),
                new FuzzTarget("GGUF block types", 1, (damage, folder) -> Files.write(folder.resolve("t.gguf"),
                        damage.bytes(Seeds.bytes(BLOCKS), 1500)),
                        (damage, folder) -> ModelTargets.readTensors(folder.resolve("t.gguf"))),
                new FuzzTarget("GGUF tokenizer", 3, GgufTargets::tokenizer, GgufTargets::readTokenizer));
    }

    private static synchronized void family(Damage damage, Path folder) throws IOException {
        String name = damage.one(FAMILIES);
        if (name.endsWith(".gguf")) {
            WRITTEN.computeIfAbsent(name, file -> Seeds.bytes(Seeds.MODELS.resolve("gguf").resolve(file)));
        }
        if (!WRITTEN.containsKey(name)) {
            Path model = Files.createTempDirectory("fuzz");
            seed(name, model);
            try (BaseModel base = BaseModel.load(model.toString(),
                    ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
                ModelExport.of(base).toGguf(model.resolve("model.gguf"));
            }
            WRITTEN.put(name, Files.readAllBytes(model.resolve("model.gguf")));
            try (Stream<Path> files = Files.walk(model)) {
                for (Path file : (List<Path>) files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        Files.write(folder.resolve("model.gguf"), damage.bytes(WRITTEN.get(name), 9000));
    }

    private static void seed(String name, Path model) throws IOException {
        if (!name.equals(LAYA)) {
            Seeds.copy(Seeds.MODELS.resolve("families").resolve(name), model, "config.json", "model.safetensors");
            Seeds.copy(Seeds.MODELS.resolve("tiny-llama"), model, "tokenizer.json", "tokenizer_config.json");
            return;
        }
        Path laya = Seeds.MODELS.resolve("decisions/laya");
        Seeds.copy(laya, model, "rl_agent_config.json", "model.safetensors");
        Files.createDirectory(model.resolve("tokenizer"));
        Seeds.copy(laya.resolve("tokenizer"), model.resolve("tokenizer"), "tokenizer.json", "tokenizer_config.json");
        Files.createDirectory(model.resolve("encoder"));
        // llama.cpp gives encoder and head as many attention heads, of which this head has one.
        Files.writeString(model.resolve("encoder/config.json"), Files.readString(laya.resolve("encoder/config.json"))
                .replace("\"num_attention_heads\": 2", "\"num_attention_heads\": 1"));
    }

    private static void tokenizer(Damage damage, Path folder) throws IOException {
        String kind = damage.one(List.of("gpt2", "llama", "bert", "t5"));
        List<String> tokens = new ArrayList<>(PIECES);
        int[] types = new int[tokens.size()];
        float[] scores = new float[tokens.size()];
        for (int i = 0; i < types.length; i++) {
            types[i] = i < 4 || damage.below(4) == 0 ? 1 + damage.below(6) : 1;
            scores[i] = damage.below(9) - 4;
        }
        GgufWriter writer = new GgufWriter().string("general.architecture", "llama")
                .string("tokenizer.ggml.model", kind).string("tokenizer.ggml.pre", damage.one(PRE))
                .strings("tokenizer.ggml.tokens", tokens).int32s("tokenizer.ggml.token_type", types)
                .float32s("tokenizer.ggml.scores", scores)
                .strings("tokenizer.ggml.merges", List.of("a b", "\u0120 a"))
                .bytes("tokenizer.ggml.precompiled_charsmap",
                        damage.bytes(Base64.getDecoder().decode(Seeds.charsMap()), 200))
                .bool("tokenizer.ggml.add_space_prefix", damage.below(2) == 0)
                .bool("tokenizer.ggml.add_bos_token", damage.below(2) == 0)
                .bool("tokenizer.ggml.add_eos_token", damage.below(2) == 0);
        for (String name : List.of("bos", "eos", "unknown", "padding", "cls", "seperator", "eot")) {
            if (damage.below(3) > 0) {
                writer.uint32("tokenizer.ggml." + name + "_token_id", damage.below(tokens.size()));
            }
        }
        Path file = folder.resolve("t.gguf");
        writer.write(file);
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, damage.below(3) == 0 ? bytes : damage.bytes(bytes, bytes.length));
    }

    private static void readTokenizer(Damage damage, Path folder) {
        try (GgufFile file = GgufFile.open(folder.resolve("t.gguf")); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            Reports reports = new Reports();
            for (String text : TEXTS) {
                reports.run(() -> tokenizer.encodeWithOffsets(text));
                reports.run(() -> tokenizer.decode(tokenizer.encodeWithSpecials(text), damage.below(2) == 0));
            }
            reports.done();
        }
    }
}
