package io.peft4j.fuzz;

import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.AdapterImport;
import io.peft4j.models.export.ModelExport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Models, adapters and the files that hold their tensors. */
final class ModelTargets {
    private static final List<String> MODELS = List.of("tiny-llama", "tiny-llama-untied", "tiny-llama-bf16");
    private static final String SAFETENSORS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String ONNX = "lora.onnx_adapter";
    private static final String ADAPTER = "adapter_model.safetensors";
    private static final Map<String, BaseModel> BASES = new LinkedHashMap<>();
    private static final List<byte[]> GGUF_MODELS = new ArrayList<>();

    private ModelTargets() {
    }

    static List<FuzzTarget> all() {
        return List.of(new FuzzTarget("config.json", 2, (damage, folder) -> model(damage, folder, "config.json"),
                ModelTargets::readModel),
                new FuzzTarget("generation_config.json", 1, (damage, folder) -> model(damage, folder,
                        "generation_config.json"), ModelTargets::readModel),
                new FuzzTarget("model.safetensors", 2, (damage, folder) -> model(damage, folder, SAFETENSORS),
                        ModelTargets::readModel),
                new FuzzTarget("config.json of a family", 4, ModelTargets::family, ModelTargets::readModel),
                new FuzzTarget("config.json of a head", 2, ModelTargets::head, ModelTargets::readHead),
                new FuzzTarget("sentence-transformers folder", 1, ModelTargets::sentences, ModelTargets::readHead),
                new FuzzTarget("safetensors index", 1, ModelTargets::sharded, ModelTargets::readModel),
                new FuzzTarget("GGUF model", 2, ModelTargets::gguf, ModelTargets::readGguf),
                new FuzzTarget("GGUF adapter", 1, (damage, folder) -> Files.write(folder.resolve("lora.gguf"),
                        damage.bytes(ggufAdapter(), 1500)),
                        (damage, folder) -> readTensors(folder.resolve("lora.gguf"))),
                new FuzzTarget("ONNX Runtime adapter", 1, (damage, folder) -> Files.write(folder.resolve(ONNX),
                        damage.bytes(Seeds.bytes(Seeds.MODELS.resolve("onnx").resolve(ONNX)), 1500)),
                        (damage, folder) -> AdapterImport.from(base("tiny-llama"), folder.resolve(ONNX),
                                folder.resolve("out"), IfExists.FAIL)),
                new FuzzTarget("adapter_config.json", 3, (damage, folder) -> adapter(damage, folder, true),
                        ModelTargets::readAdapter),
                new FuzzTarget(ADAPTER, 2, (damage, folder) -> adapter(damage, folder, false),
                        ModelTargets::readAdapter));
    }

    private static void model(Damage damage, Path folder, String damaged) throws IOException {
        Path model = Seeds.MODELS.resolve(damage.one(MODELS));
        Seeds.copy(model, folder, "config.json", "generation_config.json", SAFETENSORS, "tokenizer.json",
                "tokenizer_config.json");
        byte[] content = Seeds.bytes(model.resolve(damaged));
        Files.write(folder.resolve(damaged), damaged.equals(SAFETENSORS) ? damage.bytes(content, head(content))
                : damage.text(content));
    }

    private static int head(byte[] safetensors) {
        return 8 + (int) ByteBuffer.wrap(safetensors).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /** A decoder of any family, with what it has of its own: windows, experts, latent attention, scalings. */
    private static void family(Damage damage, Path folder) throws IOException {
        Path model = damage.one(Seeds.files(Seeds.MODELS.resolve("families"), ""));
        Seeds.copy(model, folder, SAFETENSORS);
        Seeds.copy(Seeds.MODELS.resolve(MODELS.get(0)), folder, "tokenizer.json", "tokenizer_config.json");
        Files.write(folder.resolve("config.json"), damage.text(Seeds.bytes(model.resolve("config.json"))));
    }

    /** An encoder, a classifier or an encoder-decoder whose configuration is damaged. */
    private static void head(Damage damage, Path folder) throws IOException {
        Path model = damage.one(Seeds.heads());
        Seeds.copy(model, folder, SAFETENSORS, "tokenizer.json", "tokenizer_config.json");
        Files.write(folder.resolve("config.json"), damage.text(Seeds.bytes(model.resolve("config.json"))));
    }

    private static void sentences(Damage damage, Path folder) throws IOException {
        Path model = Seeds.MODELS.resolve("sentences/cls-weighted");
        Seeds.copy(model, folder, "config.json", SAFETENSORS, "tokenizer.json", "tokenizer_config.json");
        List<String> files = List.of("modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
                "config_sentence_transformers.json");
        String damaged = damage.one(files);
        Files.createDirectories(folder.resolve("1_Pooling"));
        for (String file : files) {
            byte[] content = Seeds.bytes(model.resolve(file));
            Files.write(folder.resolve(file), file.equals(damaged) ? damage.text(content) : content);
        }
    }

    private static void readHead(Damage damage, Path folder) {
        try (BaseModel model = BaseModel.load(folder.toString(), precision(damage))) {
            switch (model.network().task().type()) {
                case SEQ_CLS -> new TextClassifier(model).classify("ab c");
                case TOKEN_CLS -> new TokenTagger(model).tag(List.of("ab", "c"));
                case QUESTION_ANS -> new QuestionAnswerer(model).answer("ab", "c");
                case FEATURE_EXTRACTION -> new TextEmbedder(model).embed("ab c");
                default -> answer(model);
            }
        }
    }

    private static void sharded(Damage damage, Path folder) throws IOException {
        Path model = Seeds.MODELS.resolve("tiny-llama-sharded");
        Seeds.copy(model, folder, "config.json", "tokenizer.json", "tokenizer_config.json");
        for (Path file : Seeds.files(model, ".safetensors")) {
            Seeds.copy(model, folder, file.getFileName().toString());
        }
        Files.write(folder.resolve(INDEX), damage.text(Seeds.bytes(model.resolve(INDEX))));
    }

    private static synchronized void gguf(Damage damage, Path folder) throws IOException {
        if (GGUF_MODELS.isEmpty()) {
            Path model = Files.createTempDirectory("fuzz");
            Seeds.copy(Seeds.MODELS.resolve(MODELS.get(0)), model, "tokenizer.json", "tokenizer_config.json");
            for (String name : List.of("tiny-llama", "families/mixtral", "families/deepseek-v3-mscale")) {
                Seeds.copy(Seeds.MODELS.resolve(name), model, "config.json", SAFETENSORS);
                Path file = model.resolve("model.gguf");
                try (BaseModel base = load(model)) {
                    ModelExport.of(base).ifExists(IfExists.OVERWRITE).toGguf(file);
                }
                GGUF_MODELS.add(Files.readAllBytes(file));
            }
        }
        Files.write(folder.resolve("model.gguf"), damage.bytes(damage.one(GGUF_MODELS), 9000));
    }

    private static byte[] ggufAdapter() throws IOException {
        Path file = Files.createTempFile("fuzz", ".gguf");
        try (PeftModel model = PeftModel.load(base("tiny-llama"), Seeds.MODELS.resolve("adapters/lora"))) {
            AdapterExport.toGguf(model, PeftModel.DEFAULT_ADAPTER, file);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    private static void adapter(Damage damage, Path folder, boolean config) throws IOException {
        Path adapter = damage.one(Seeds.adapters());
        Seeds.copy(adapter, folder, "adapter_config.json", ADAPTER);
        String damaged = config ? "adapter_config.json" : ADAPTER;
        byte[] content = Seeds.bytes(adapter.resolve(damaged));
        Files.write(folder.resolve(damaged), config ? damage.text(content) : damage.bytes(content, head(content)));
    }

    private static void readModel(Damage damage, Path folder) {
        try (BaseModel model = BaseModel.load(folder.toString(), precision(damage))) {
            answer(model);
        }
    }

    static void readGguf(Damage damage, Path folder) {
        Reports reports = new Reports();
        reports.run(() -> {
            try (BaseModel model = BaseModel.load(folder.resolve("model.gguf").toString(), precision(damage))) {
                if (model.network().task().type() == Task.Type.DECISION) {
                    new DecisionModel(model).decide("ab c", DecisionQuestion.yesNo("Is it?"));
                } else if (model.network().task().type().hasHead()) {
                    new TextEmbedder(model).embed("ab c");
                } else {
                    answer(model);
                }
            }
        });
        reports.run(() -> readTensors(folder.resolve("model.gguf")));
        reports.done();
    }

    private static ModelOptions precision(Damage damage) {
        return ModelOptions.defaults().withPrecision(damage.one(List.of(ModelOptions.Precision.values())));
    }

    private static void answer(BaseModel model) {
        model.generate(List.of(Prompt.text("ab c")), GenerationOptions.defaults().withMaxNewTokens(2));
    }

    static void readTensors(Path path) {
        try (GgufFile file = GgufFile.open(path)) {
            file.metadata().toString();
            Reports reports = new Reports();
            file.tensors().keySet().forEach(name -> reports.run(() -> file.readFloats(name)));
            reports.done();
        }
    }

    private static void readAdapter(Damage damage, Path folder) {
        Reports reports = new Reports();
        reports.run(() -> {
            try (Safetensors file = Safetensors.open(folder.resolve(ADAPTER))) {
                file.tensors().keySet().forEach(name -> reports.run(() -> file.readFloats(name)));
            }
        });
        reports.run(() -> {
            try (PeftModel model = PeftModel.load(base(damage.below(4) == 0 ? "tiny-llama-untied" : "tiny-llama"),
                    folder)) {
                model.generate(List.of(Prompt.text("ab")), GenerationOptions.defaults().withMaxNewTokens(1));
            }
        });
        reports.done();
    }

    private static synchronized BaseModel base(String name) {
        return BASES.computeIfAbsent(name, folder -> load(Seeds.MODELS.resolve(folder)));
    }

    private static BaseModel load(Path folder) {
        return BaseModel.load(folder.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }
}
