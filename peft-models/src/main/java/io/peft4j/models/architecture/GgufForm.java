package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.models.architecture.GgufKey.Kind;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What the GGUF files of a family look like: llama.cpp's name of it, its keys and names of tensors beside Hugging
 * Face's, and how their values differ. Models are read, and merged models and adapters written, by what it says. A
 * family states its difference from {@link #decoder}:
 *
 * <pre>{@code
 * GgufForm.decoder("qwen3");                                                  // nothing but the name
 * GgufForm.decoder("llama").rotaryPairs("self_attn.q_proj", "self_attn.k_proj");
 * GgufForm.decoder("phi3").tensor("self_attn.qkv_proj", "attn_qkv").tensor("mlp.gate_up_proj", "ffn_up");
 * }</pre>
 *
 * <p>Instances are immutable; each method gives a new one.
 */
public final class GgufForm {
    /** The number of a layer in the names of tensors, and of an expert. */
    private static final String LAYER = "*";
    private static final String EXPERT = "#";

    private final String architecture;
    private String blocks = "model.layers.";
    private final Map<String, GgufKey> keys = new LinkedHashMap<>();
    private final Map<String, String> tensors = new LinkedHashMap<>();
    private final Map<String, Object> fixed = new LinkedHashMap<>();
    private final Set<String> rotaryPairs = new LinkedHashSet<>();
    private final Set<String> transposed = new LinkedHashSet<>();
    private final Set<String> shifted = new LinkedHashSet<>();
    private String rotaryBaseKey = "";
    private double rotaryBase;
    private String rotaryShareKey = "";
    private double rotaryShare = 1;
    private Predicate<GgufMetadata> reads = metadata -> true;
    private BiConsumer<GgufMetadata, ObjectNode> reading = (metadata, config) -> { };
    private Consumer<ModelConfig> writing = config -> { };

    private GgufForm(String architecture) {
        this.architecture = architecture;
    }

    private GgufForm copy() {
        GgufForm copy = new GgufForm(architecture);
        copy.blocks = blocks;
        copy.keys.putAll(keys);
        copy.tensors.putAll(tensors);
        copy.fixed.putAll(fixed);
        copy.rotaryPairs.addAll(rotaryPairs);
        copy.transposed.addAll(transposed);
        copy.shifted.addAll(shifted);
        copy.rotaryBaseKey = rotaryBaseKey;
        copy.rotaryBase = rotaryBase;
        copy.rotaryShareKey = rotaryShareKey;
        copy.rotaryShare = rotaryShare;
        copy.reads = reads;
        copy.reading = reading;
        copy.writing = writing;
        return copy;
    }

    /**
     * A form without tensors, with the sizes that all have.
     *
     * @param architecture llama.cpp's {@code general.architecture}
     */
    public static GgufForm of(String architecture) {
        return new GgufForm(architecture)
                .key("context_length", "max_position_embeddings", Kind.COUNT, "2048")
                .key("embedding_length", "hidden_size", Kind.COUNT)
                .key("block_count", "num_hidden_layers", Kind.COUNT)
                .key("feed_forward_length", "intermediate_size", Kind.COUNT)
                .key("attention.head_count", "num_attention_heads", Kind.COUNT);
    }

    /**
     * The form of a decoder like Llama: RMS norms, rotary positions, a gated feed-forward network.
     *
     * @param architecture llama.cpp's {@code general.architecture}
     */
    public static GgufForm decoder(String architecture) {
        return of(architecture)
                .key("attention.head_count_kv", "num_key_value_heads", Kind.OPTIONAL_COUNT)
                .key("attention.layer_norm_rms_epsilon", "rms_norm_eps", Kind.NUMBER, "1e-6")
                .rotary("rope_theta", 10000)
                .whole("model.embed_tokens", "token_embd").whole("model.norm", "output_norm")
                .whole("lm_head", "output")
                .tensor("input_layernorm", "attn_norm").tensor("post_attention_layernorm", "ffn_norm")
                .tensor("self_attn.q_proj", "attn_q").tensor("self_attn.k_proj", "attn_k")
                .tensor("self_attn.v_proj", "attn_v").tensor("self_attn.o_proj", "attn_output")
                .tensor("self_attn.q_norm", "attn_q_norm").tensor("self_attn.k_norm", "attn_k_norm")
                .tensor("mlp.gate_proj", "ffn_gate").tensor("mlp.up_proj", "ffn_up")
                .tensor("mlp.down_proj", "ffn_down");
    }

    /** A value that must be there. */
    public GgufForm key(String gguf, String config, Kind kind) {
        return key(gguf, config, kind, "");
    }

    /** A value; replaces what stood under the same key. */
    public GgufForm key(String gguf, String config, Kind kind, String fallback) {
        GgufForm copy = copy();
        copy.keys.put(gguf, new GgufKey(gguf, config, kind, fallback));
        return copy;
    }

    /** Without a key that the shared form has. */
    public GgufForm withoutKey(String gguf) {
        GgufForm copy = copy();
        copy.keys.remove(gguf);
        return copy;
    }

    /**
     * A value that all models of the family have in llama.cpp, which keeps no key for it: it is added when a file is
     * read, and a model that has another one is not written.
     */
    public GgufForm fixed(String config, Object value) {
        GgufForm copy = copy();
        copy.fixed.put(config, value);
        return copy;
    }

    /** What the names of the layers' tensors begin with, in place of {@code model.layers}. */
    public GgufForm blocks(String prefix) {
        GgufForm copy = copy();
        copy.blocks = prefix + ".";
        return copy;
    }

    /**
     * The tensors of a place in a layer. A name that ends in {@code #} stands for the experts: Hugging Face has a
     * tensor for each ({@code mlp.experts.#.up_proj}), llama.cpp one for all.
     *
     * @param place Hugging Face's name, without {@code model.layers.0}, {@code weight} and {@code bias}
     * @param gguf llama.cpp's, without {@code blk.0}, {@code weight} and {@code bias} (with {@code weight} where
     *     Hugging Face's tensor is the place itself); the place that the shared form has for it is replaced
     */
    public GgufForm tensor(String place, String gguf) {
        return put(blocks + LAYER + "." + place, "blk." + LAYER + "." + gguf);
    }

    /** As {@link #tensor}, for tensors outside of the layers. */
    public GgufForm whole(String place, String gguf) {
        return put(place, gguf);
    }

    private GgufForm put(String place, String gguf) {
        GgufForm copy = copy();
        copy.tensors.values().remove(gguf);
        copy.tensors.put(place, gguf);
        return copy;
    }

    /**
     * Places whose rows llama.cpp stores with the two elements of a rotated pair as neighbours, which in Hugging Face's
     * checkpoints are half a head apart.
     */
    public GgufForm rotaryPairs(String... places) {
        GgufForm copy = copy();
        copy.rotaryPairs.addAll(Set.of(places));
        return copy;
    }

    /**
     * For models with rotary positions.
     *
     * @param config the key of {@code config.json} with the base of the frequencies
     * @param fallback what holds where it has none
     */
    public GgufForm rotary(String config, double fallback) {
        GgufForm copy = copy();
        copy.rotaryBaseKey = config;
        copy.rotaryBase = fallback;
        return copy;
    }

    /**
     * Where only a part of each head may be rotated.
     *
     * @param config the key of {@code config.json} with the part
     * @param fallback what holds where it has none
     */
    public GgufForm rotaryShare(String config, double fallback) {
        GgufForm copy = copy();
        copy.rotaryShareKey = config;
        copy.rotaryShare = fallback;
        return copy;
    }

    /** Places whose weights Hugging Face stores as [in, out]. */
    public GgufForm transposed(String... places) {
        GgufForm copy = copy();
        copy.transposed.addAll(Set.of(places));
        return copy;
    }

    /** Places, by the ends of their names, whose weights llama.cpp stores with 1 added: Gemma's norms. */
    public GgufForm shifted(String... ends) {
        GgufForm copy = copy();
        copy.shifted.addAll(Set.of(ends));
        return copy;
    }

    /** Where several families share llama.cpp's name: which files are this one's. */
    public GgufForm reads(Predicate<GgufMetadata> files) {
        GgufForm copy = copy();
        copy.reads = files;
        return copy;
    }

    /** Where another family reads the files that are written for this one: Mistral's are Llama's to llama.cpp. */
    public GgufForm writtenOnly() {
        return reads(metadata -> false);
    }

    /** What else is to be done when a file's metadata has become a configuration. */
    public GgufForm reading(BiConsumer<GgufMetadata, ObjectNode> step) {
        GgufForm copy = copy();
        copy.reading = reading.andThen(step);
        return copy;
    }

    /** Refuses models that llama.cpp would compute in another way, by throwing. */
    public GgufForm writing(Consumer<ModelConfig> check) {
        GgufForm copy = copy();
        copy.writing = writing.andThen(check);
        return copy;
    }

    /** llama.cpp's {@code general.architecture}. */
    public String architecture() {
        return architecture;
    }

    /** The values that stand under different keys. */
    public Collection<GgufKey> keys() {
        return keys.values();
    }

    /** The key of {@code config.json} for a value that the form has. */
    public String configKey(String gguf) {
        return keys.get(gguf).config();
    }

    /** Whether the form has this key of llama.cpp's. */
    public boolean hasKey(String gguf) {
        return keys.containsKey(gguf);
    }

    /** Values that llama.cpp has no key for, by the key of {@code config.json}. */
    public Map<String, Object> fixed() {
        return fixed;
    }

    /** Whether the models have rotary positions. */
    public boolean isRotary() {
        return !rotaryBaseKey.isEmpty();
    }

    /** The key with the base of the rotary frequencies. */
    public String rotaryBaseKey() {
        return rotaryBaseKey;
    }

    /** The base of the rotary frequencies where a configuration does not say. */
    public double rotaryBase() {
        return rotaryBase;
    }

    /** The key with the part of each head that is rotated; empty where all of it is. */
    public String rotaryShareKey() {
        return rotaryShareKey;
    }

    /** The part of each head that is rotated where a configuration does not say. */
    public double rotaryShare() {
        return rotaryShare;
    }

    /** Whether a file with llama.cpp's name of the family is one of this family's. */
    public boolean isReadFrom(GgufMetadata metadata) {
        return reads.test(metadata);
    }

    /** Does what else is to be done with a configuration that was read. */
    public void complete(GgufMetadata metadata, ObjectNode config) {
        reading.accept(metadata, config);
    }

    /**
     * Refuses a model that llama.cpp would compute in another way.
     *
     * @throws io.peft4j.core.error.PeftException with the reason
     */
    public void requireWritable(ModelConfig config) {
        writing.accept(config);
    }

    /** llama.cpp's name of a tensor, without an expert's number; empty where it has none. */
    public Optional<String> toGguf(String name) {
        Name parts = Name.of(name, blocks);
        return Optional.ofNullable(tensors.get(parts.place()))
                .map(gguf -> gguf.replace(LAYER, parts.layer()) + parts.suffix());
    }

    /** Hugging Face's name of a tensor, with {@code #} in the place of an expert's number; empty where it has none. */
    public Optional<String> toHuggingFace(String name) {
        Name parts = Name.of(name, "blk.");
        return place(parts.place()).map(place -> place + parts.suffix())
                .or(() -> place(parts.place() + parts.suffix())).map(place -> place.replace(LAYER, parts.layer()));
    }

    private Optional<String> place(String gguf) {
        return tensors.entrySet().stream().filter(entry -> entry.getValue().equals(gguf)).findFirst()
                .map(Map.Entry::getKey);
    }

    /** The number of the expert that a Hugging Face name means, or -1. */
    public int expert(String name) {
        return Name.of(name, blocks).expert();
    }

    /** Whether the rows of this Hugging Face tensor stand in another order in a file. */
    public boolean hasRotaryPairs(String name) {
        return inBlock(rotaryPairs, name);
    }

    /** Whether this Hugging Face tensor is a matrix [in, out]. */
    public boolean isTransposed(String name) {
        return name.endsWith(".weight") && inBlock(transposed, name);
    }

    /** What a file has more in each value of this Hugging Face tensor. */
    public float shift(String name) {
        return shifted.stream().anyMatch(end -> name.endsWith(end + ".weight")) ? 1 : 0;
    }

    private boolean inBlock(Set<String> places, String name) {
        String place = Name.of(name, blocks).place();
        return place.startsWith(blocks) && places.contains(place.substring(blocks.length() + LAYER.length() + 1));
    }

    /** The parts of a tensor's name. */
    private record Name(String place, String layer, int expert, String suffix) {
        static Name of(String name, String blocks) {
            int dot = name.lastIndexOf('.');
            String end = dot < 0 ? "" : name.substring(dot);
            String suffix = end.equals(".weight") || end.equals(".bias") ? end : "";
            String place = name.substring(0, name.length() - suffix.length());
            if (!place.startsWith(blocks)) {
                return new Name(place, LAYER, -1, suffix);
            }
            String[] parts = place.substring(blocks.length()).split("\\.");
            String layer = parts[0];
            int expert = -1;
            parts[0] = LAYER;
            for (int i = 1; i < parts.length; i++) {
                if (parts[i].matches("[0-9]{1,6}")) {
                    expert = Integer.parseInt(parts[i]);
                    parts[i] = EXPERT;
                }
            }
            boolean numbered = layer.matches("[0-9]{1,6}");
            return new Name(numbered ? blocks + String.join(".", parts) : "", layer, numbered ? expert : -1, suffix);
        }
    }
}
