package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.models.architecture.ModelConfig;

/** The metadata of a GGUF file with the keys of Hugging Face's {@code config.json}. */
final class GgufConfig {
    /** Divisors of the rotary frequencies, as llama.cpp stores a scaled rotary embedding. */
    private static final String ROPE_FACTORS = "rope_freqs.weight";

    private GgufConfig() {
    }

    static ModelConfig of(GgufFile file) {
        GgufMetadata metadata = file.metadata();
        String architecture = metadata.string("general.architecture");
        if (!architecture.equals("llama")) {
            throw new FileFormatException(file.path(), "general.architecture is \"" + architecture
                    + "\"; supported is llama");
        }
        String prefix = architecture + ".";
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        long heads = metadata.integer(prefix + "attention.head_count");
        long hidden = metadata.integer(prefix + "embedding_length");
        config.put("model_type", architecture);
        config.put("hidden_size", hidden);
        config.put("num_hidden_layers", metadata.integer(prefix + "block_count"));
        config.put("num_attention_heads", heads);
        config.put("num_key_value_heads", metadata.integer(prefix + "attention.head_count_kv", heads));
        if (metadata.has(prefix + "attention.key_length")) {
            config.put("head_dim", metadata.integer(prefix + "attention.key_length"));
        }
        config.put("intermediate_size", metadata.integer(prefix + "feed_forward_length"));
        config.put("max_position_embeddings", metadata.integer(prefix + "context_length"));
        config.put("rms_norm_eps", floating(metadata.floating(prefix + "attention.layer_norm_rms_epsilon")));
        config.put("rope_theta", floating(metadata.floating(prefix + "rope.freq_base", 10000)));
        config.put("vocab_size", file.shape("token_embd.weight")[0]);
        config.put("tie_word_embeddings", !file.names().contains("output.weight"));
        config.put("attention_bias", file.names().contains("blk.0.attn_q.bias"));
        config.put("mlp_bias", file.names().contains("blk.0.ffn_up.bias"));
        config.put("hidden_act", "silu");
        putId(config, "bos_token_id", metadata, "bos_token_id");
        putId(config, "eos_token_id", metadata, "eos_token_id");
        putId(config, "pad_token_id", metadata, "padding_token_id");
        putRopeScaling(config, file);
        return new ModelConfig(file.path(), config);
    }

    private static void putId(ObjectNode config, String key, GgufMetadata metadata, String ggufKey) {
        if (metadata.has("tokenizer.ggml." + ggufKey)) {
            config.put(key, metadata.integer("tokenizer.ggml." + ggufKey));
        }
    }

    private static void putRopeScaling(ObjectNode config, GgufFile file) {
        if (file.names().contains(ROPE_FACTORS)) {
            ArrayNode factors = config.putObject("rope_scaling").put("rope_type", "divisors").putArray("divisors");
            for (float factor : file.readFloats(ROPE_FACTORS)) {
                factors.add(factor);
            }
            return;
        }
        String type = file.metadata().string("llama.rope.scaling.type", "none");
        if (type.equals("linear")) {
            config.putObject("rope_scaling").put("rope_type", "linear")
                    .put("factor", file.metadata().floating("llama.rope.scaling.factor"));
        } else if (!type.equals("none")) {
            config.putObject("rope_scaling").put("rope_type", type);
        }
    }

    /** A 32-bit float of the file as the decimal number that was meant: 1e-5 rather than 9.999999747378752e-06. */
    private static double floating(double value) {
        return Double.parseDouble(Float.toString((float) value));
    }
}
