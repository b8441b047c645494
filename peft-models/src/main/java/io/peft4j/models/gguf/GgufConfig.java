package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufType;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The metadata of a GGUF file with the keys of Hugging Face's {@code config.json}. */
final class GgufConfig {
    /** More than any model has; what a damaged file might claim is not listed one by one. */
    private static final long MOST_LAYERS = 1 << 12;
    private static final ObjectMapper JSON = new ObjectMapper();

    private GgufConfig() {
    }

    static ModelConfig of(GgufFile file, Architecture architecture, GgufForm form) {
        GgufMetadata metadata = file.metadata();
        String prefix = form.architecture() + ".";
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.put("model_type", architecture.modelType());
        form.keys().forEach(key -> put(config, key, metadata, prefix + key.gguf()));
        if (form.rotary().exists()) {
            putHeads(config, form, metadata, prefix);
        }
        config.put("vocab_size", file.shape("token_embd.weight")[0]);
        config.put("tie_word_embeddings", !file.names().contains("output.weight"));
        config.put("attention_bias", file.names().contains("blk.0.attn_q.bias")
                || file.names().contains("blk.0.attn_qkv.bias"));
        config.put("mlp_bias", file.names().contains("blk.0.ffn_up.bias"));
        putId(config, "bos_token_id", metadata, "bos_token_id");
        putStops(config, metadata);
        putId(config, "pad_token_id", metadata, "padding_token_id");
        form.fixed().forEach((key, value) -> config.set(key, JSON.valueToTree(value)));
        if (form.rotary().exists()) {
            GgufRotary.read(config, form.rotary(), file, prefix);
        }
        if (form.windowPeriod() > 0) {
            putWindows(config, form, metadata, prefix + GgufHyperparameters.WINDOWS);
        }
        form.complete(file, config);
        return new ModelConfig(file.path(), config);
    }

    private static void put(ObjectNode config, GgufKey key, GgufMetadata metadata, String name) {
        if (!metadata.has(name) && key.isOptional()) {
            return;
        }
        switch (key.kind()) {
            case COUNT, OPTIONAL_COUNT, COUNT_OR_NONE -> config.put(key.config(), metadata.integer(name));
            case FLAG, OPTIONAL_FLAG -> config.put(key.config(), metadata.bool(name));
            default -> config.put(key.config(), decimal(metadata.floating(name)));
        }
    }

    /** The size of a head, and how much of it is rotated, where they are not what follows from the other sizes. */
    private static void putHeads(ObjectNode config, GgufForm form, GgufMetadata metadata, String prefix) {
        if (metadata.has(prefix + "attention.key_length")) {
            config.put("head_dim", metadata.integer(prefix + "attention.key_length"));
        }
        if (form.rotary().isPartial() && metadata.has(prefix + "rope.dimension_count")) {
            double head = config.has("head_dim") ? config.get("head_dim").longValue()
                    : (double) config.get(form.configKey("embedding_length")).longValue()
                            / config.get(form.configKey("attention.head_count")).longValue();
            config.put(form.rotary().shareKey(), metadata.integer(prefix + "rope.dimension_count") / head);
        }
    }

    /** Which layers have a window: a file lists them, or says that the last of each so many has none. */
    private static void putWindows(ObjectNode config, GgufForm form, GgufMetadata metadata, String key) {
        List<?> listed = metadata.has(key) && metadata.type(key) == GgufType.ARRAY ? (List<?>) metadata.value(key)
                : List.of();
        long period = listed.isEmpty() ? metadata.integer(key, form.windowPeriod()) : 1;
        ArrayNode types = config.putArray("layer_types");
        long layers = Math.min(config.get(form.configKey("block_count")).longValue(), MOST_LAYERS);
        for (int i = 0; i < layers; i++) {
            Object own = i < listed.size() ? listed.get(i) : false;
            boolean slides = listed.isEmpty() ? period == 0 || i % period < period - 1
                    : own.equals(true) || own instanceof Number number && number.longValue() != 0;
            types.add(slides ? "sliding_attention" : "full_attention");
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
