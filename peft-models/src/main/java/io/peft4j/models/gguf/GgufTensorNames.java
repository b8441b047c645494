package io.peft4j.models.gguf;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** llama.cpp's names of tensors and Hugging Face's, for models in the form of Llama. */
final class GgufTensorNames {
    private static final Map<String, String> WHOLE = Map.of(
            "token_embd", "model.embed_tokens",
            "output_norm", "model.norm",
            "output", "lm_head");
    private static final Map<String, String> IN_BLOCK = Map.of(
            "attn_norm", "input_layernorm",
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_norm", "post_attention_layernorm",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");
    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d+)\\.(\\w+)\\.(weight|bias)");
    private static final Pattern OTHER = Pattern.compile("(\\w+)\\.(weight|bias)");

    private static final Pattern HF_BLOCK = Pattern.compile("model\\.layers\\.(\\d+)\\.([\\w.]+)\\.(weight|bias)");

    private GgufTensorNames() {
    }

    /** The Hugging Face name of a tensor, or empty where it has none. */
    public static Optional<String> toHuggingFace(String name) {
        Matcher block = BLOCK.matcher(name);
        if (block.matches()) {
            return Optional.ofNullable(IN_BLOCK.get(block.group(2)))
                    .map(part -> "model.layers." + block.group(1) + "." + part + "." + block.group(3));
        }
        Matcher other = OTHER.matcher(name);
        return other.matches()
                ? Optional.ofNullable(WHOLE.get(other.group(1))).map(part -> part + "." + other.group(2))
                : Optional.empty();
    }

    /** llama.cpp's name of a tensor that has the given one in Hugging Face's checkpoint, or empty where it has none. */
    public static Optional<String> toGguf(String name) {
        Matcher block = HF_BLOCK.matcher(name);
        if (block.matches()) {
            return key(IN_BLOCK, block.group(2))
                    .map(part -> "blk." + block.group(1) + "." + part + "." + block.group(3));
        }
        int dot = name.lastIndexOf('.');
        return dot < 0 ? Optional.empty()
                : key(WHOLE, name.substring(0, dot)).map(part -> part + name.substring(dot));
    }

    private static Optional<String> key(Map<String, String> names, String value) {
        return names.entrySet().stream().filter(e -> e.getValue().equals(value)).map(Map.Entry::getKey).findFirst();
    }
}
