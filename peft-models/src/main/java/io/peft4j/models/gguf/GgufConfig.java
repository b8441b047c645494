package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.LinkedHashSet;
import java.util.Set;

/** The metadata of a GGUF file with the keys of Hugging Face's {@code config.json}. */
final class GgufConfig {
    private static final ObjectMapper JSON = new ObjectMapper();

    private GgufConfig() {
    }

    static ModelConfig of(GgufFile file, Architecture architecture, GgufForm form) {
        GgufMetadata metadata = file.metadata();
        String prefix = form.architecture() + ".";
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.put("model_type", architecture.modelType());
        form.keys().forEach(key -> put(config, key, metadata, prefix + key.gguf()));
        putHeads(config, form, metadata, prefix);
        config.put("vocab_size", file.shape("token_embd.weight")[0]);
        config.put("tie_word_embeddings", !file.names().contains("output.weight"));
        config.put("attention_bias", file.names().contains("blk.0.attn_q.bias"));
        config.put("mlp_bias", file.names().contains("blk.0.ffn_up.bias"));
        putId(config, "bos_token_id", metadata, "bos_token_id");
        putStops(config, metadata);
        putId(config, "pad_token_id", metadata, "padding_token_id");
        form.fixed().forEach((key, value) -> config.set(key, JSON.valueToTree(value)));
        if (form.isRotary()) {
            config.put(form.rotaryBaseKey(), decimal(metadata.floating(prefix + "rope.freq_base", 10000)));
            GgufRotary.read(config, file, prefix);
        }
        form.complete(metadata, config);
        return new ModelConfig(file.path(), config);
    }

    private static void put(ObjectNode config, GgufKey key, GgufMetadata metadata, String name) {
        if (!metadata.has(name) && key.isOptional()) {
            return;
        }
        switch (key.kind()) {
            case COUNT, OPTIONAL_COUNT -> config.put(key.config(), metadata.integer(name));
            case FLAG -> config.put(key.config(), metadata.bool(name));
            default -> config.put(key.config(), decimal(metadata.floating(name)));
        }
    }

    /** The size of a head, and how much of it is rotated, where they are not what follows from the other sizes. */
    private static void putHeads(ObjectNode config, GgufForm form, GgufMetadata metadata, String prefix) {
        if (metadata.has(prefix + "attention.key_length")) {
            config.put("head_dim", metadata.integer(prefix + "attention.key_length"));
        }
        if (!form.rotaryShareKey().isEmpty() && metadata.has(prefix + "rope.dimension_count")) {
            double head = config.has("head_dim") ? config.get("head_dim").longValue()
                    : (double) config.get(form.configKey("embedding_length")).longValue()
                    / config.get(form.configKey("attention.head_count")).longValue();
            config.put(form.rotaryShareKey(), metadata.integer(prefix + "rope.dimension_count") / head);
        }
    }

    /** The tokens that end an answer: of a text, of a turn, of a message. */
    private static void putStops(ObjectNode config, GgufMetadata metadata) {
        Set<Long> ids = new LinkedHashSet<>();
        for (String name : new String[] {"eos", "eot", "eom"}) {
            String key = "tokenizer.ggml." + name + "_token_id";
            if (metadata.has(key)) {
                ids.add(metadata.integer(key));
            }
        }
        if (ids.size() == 1) {
            config.put("eos_token_id", ids.iterator().next());
        } else if (!ids.isEmpty()) {
            ids.forEach(config.putArray("eos_token_id")::add);
        }
    }

    private static void putId(ObjectNode config, String key, GgufMetadata metadata, String ggufKey) {
        if (metadata.has("tokenizer.ggml." + ggufKey)) {
            config.put(key, metadata.integer("tokenizer.ggml." + ggufKey));
        }
    }

    /** A 32-bit float of the file as the decimal number that was meant: 1e-5 rather than 9.999999747378752e-06. */
    static double decimal(double value) {
        return Double.parseDouble(Float.toString((float) value));
    }
}
