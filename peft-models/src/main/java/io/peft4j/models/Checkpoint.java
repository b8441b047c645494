package io.peft4j.models;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.gguf.GgufCheckpoint;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.models.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * The parts of a model on disk, whatever its form. Closes what nobody has taken over, so that a failed load leaves
 * nothing behind.
 */
final class Checkpoint implements AutoCloseable {
    private static final String STOP = "eos_token_id";

    private final ModelConfig config;
    private final WeightLoader weights;
    private final Tokenizer tokenizer;
    private final Set<Integer> stopTokens = new HashSet<>();
    private boolean tokenizerKept;

    private Checkpoint(ModelConfig config, WeightLoader weights, Tokenizer tokenizer) {
        this.config = config;
        this.weights = weights;
        this.tokenizer = tokenizer;
        tokenizer.eosId().ifPresent(stopTokens::add);
        addStopTokens(config);
    }

    static Checkpoint open(ModelSource source, WeightType type) {
        return source instanceof ModelSource.GgufPath ? openGguf(source.path(), type)
                : openFolder(source.path(), type);
    }

    private static Checkpoint openFolder(Path folder, WeightType type) {
        ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
        Path generation = folder.resolve("generation_config.json");
        WeightLoader weights = new WeightLoader(Safetensors.open(folder), type);
        try {
            Checkpoint checkpoint = new Checkpoint(config, weights, Tokenizers.fromFolder(folder));
            if (Files.isRegularFile(generation)) {
                checkpoint.addStopTokens(ModelConfig.read(generation));
            }
            return checkpoint;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private static Checkpoint openGguf(Path file, WeightType type) {
        GgufFile gguf = GgufFile.open(file);
        GgufCheckpoint tensors = GgufCheckpoint.of(gguf);
        WeightLoader weights = new WeightLoader(tensors, type);
        try {
            return new Checkpoint(tensors.config(), weights, Tokenizers.fromGguf(gguf));
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** One id, or a list of them. */
    private void addStopTokens(ModelConfig source) {
        JsonNode value = source.values().path(STOP);
        if (value.isInt()) {
            stopTokens.add(value.intValue());
        }
        value.forEach(id -> stopTokens.add(id.intValue()));
    }

    ModelConfig config() {
        return config;
    }

    WeightLoader weights() {
        return weights;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    Set<Integer> stopTokens() {
        return stopTokens;
    }

    /** Leaves the tokenizer open when this is closed. */
    void keepTokenizer() {
        tokenizerKept = true;
    }

    @Override
    public void close() {
        weights.close();
        if (!tokenizerKept) {
            tokenizer.close();
        }
    }
}
