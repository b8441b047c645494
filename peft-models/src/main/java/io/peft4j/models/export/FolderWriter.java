package io.peft4j.models.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.model.Task;
import io.peft4j.core.safetensors.DType;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ScoreSettings;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.architecture.TaskPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes a model as Hugging Face's {@code save_pretrained} does. */
final class FolderWriter {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<BlockType, String> TORCH_TYPES = Map.of(BlockType.F32, "float32", BlockType.F16,
            "float16", BlockType.BF16, "bfloat16");
    private static final String WEIGHTS = "model.safetensors";

    private final BaseModel base;
    private final MergedTensors merged;
    private final BlockType type;
    private final long maxShardBytes;

    FolderWriter(BaseModel base, MergedTensors merged, BlockType type, long maxShardBytes) {
        this.base = base;
        this.merged = merged;
        this.type = type;
        this.maxShardBytes = maxShardBytes;
        if (!TORCH_TYPES.containsKey(type)) {
            throw new ConfigurationException("a Hugging Face folder cannot hold " + type
                    + "; choose F32, F16 or BF16, or write a GGUF file");
        }
        if (base.config().object("rope_scaling").flatMap(s -> s.text("rope_type")).filter("divisors"::equals)
                .isPresent()) {
            throw new ConfigurationException("the rotary scaling of this GGUF file cannot be written to a "
                    + "Hugging Face config.json; write a GGUF file, or start from the model's Hugging Face folder");
        }
    }

    void write(Path folder) {
        writeWeights(folder);
        write(folder.resolve("config.json"), config());
        if (base.network().task().type().hasHead()) {
            SentencePooling.copy(base.config().file().getParent(), folder);
        } else {
            write(folder.resolve("generation_config.json"), generationConfig());
        }
        base.tokenizer().save(folder);
    }

    private ObjectNode config() {
        ObjectNode config = CheckpointForm.written(base.config()).values().deepCopy();
        String key = config.has("torch_dtype") ? "torch_dtype" : "dtype";
        config.put(key, TORCH_TYPES.get(type));
        if (base.network().task().type().hasHead() && base.network().headed().pairPrompt().isEmpty()) {
            Task task = base.network().task();
            TaskPlan.write(task, config);
            boolean logits = base.network().headed().scoresAreLogits();
            if (task.labels().size() == 1 && (logits || task.problem() != Task.Problem.REGRESSION)) {
                ScoreSettings.write(logits, config);
            }
            return config;
        }
        config.put("tie_word_embeddings", merged.tied());
        if (!config.has("architectures")) {
            String model = config.path("model_type").asText();
            config.putArray("architectures").add(model.substring(0, 1).toUpperCase(Locale.ROOT) + model.substring(1)
                    + (base.network().task().type() == Task.Type.SEQ_2_SEQ_LM ? "ForConditionalGeneration"
                            : "ForCausalLM"));
        }
        return config;
    }

    /** That of the checkpoint, with all tokens that end an answer. */
    private ObjectNode generationConfig() {
        Path file = base.config().file().resolveSibling("generation_config.json");
        ObjectNode config = JSON.createObjectNode();
        if (base.config().file().endsWith("config.json") && Files.isRegularFile(file)) {
            try {
                config.setAll((ObjectNode) JSON.readTree(file.toFile()));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
        if (!config.has("eos_token_id")) {
            ArrayNode ids = config.putArray("eos_token_id");
            base.stopTokens().stream().sorted().forEach(ids::add);
        }
        base.tokenizer().bosId().ifPresent(id -> putIfAbsent(config, "bos_token_id", id));
        base.tokenizer().padId().ifPresent(id -> putIfAbsent(config, "pad_token_id", id));
        return config;
    }

    private static void putIfAbsent(ObjectNode config, String key, int value) {
        if (!config.has(key)) {
            config.put(key, value);
        }
    }

    private void writeWeights(Path folder) {
        List<Map<String, TensorData>> shards = shards();
        if (shards.size() == 1) {
            SafetensorsWriter.write(folder.resolve(WEIGHTS), shards.get(0));
            return;
        }
        ObjectNode index = JSON.createObjectNode();
        index.putObject("metadata").put("total_size",
                merged.tensors().stream().mapToLong(t -> type.bytes(t.elements())).sum());
        ObjectNode places = index.putObject("weight_map");
        for (int i = 0; i < shards.size(); i++) {
            String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
            SafetensorsWriter.write(folder.resolve(name), shards.get(i));
            shards.get(i).keySet().forEach(tensor -> places.put(tensor, name));
        }
        write(folder.resolve(WEIGHTS + ".index.json"), index);
    }

    /** Files that are full before they pass the limit; a tensor larger than it has one of its own. */
    private List<Map<String, TensorData>> shards() {
        List<Map<String, TensorData>> shards = new ArrayList<>();
        long size = maxShardBytes + 1;
        for (ModelTensor tensor : (Iterable<ModelTensor>) merged.tensors().stream()
                .flatMap(own -> stored(own).stream())::iterator) {
            long bytes = type.bytes(tensor.elements());
            if (size + bytes > maxShardBytes) {
                shards.add(new LinkedHashMap<>());
                size = 0;
            }
            shards.get(shards.size() - 1).put(tensor.name(),
                    TensorData.rows(DType.valueOf(type.name()), tensor.shape(), tensor.rows()));
            size += bytes;
        }
        return shards;
    }

    /** What a checkpoint of the family holds for a tensor of the network. */
    private List<ModelTensor> stored(ModelTensor tensor) {
        return Architectures.of(base.config()) instanceof CheckpointForm form
                ? form.checkpointTensors(base.config(), tensor) : List.of(tensor);
    }

    private static void write(Path file, ObjectNode json) {
        try {
            AtomicFiles.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
