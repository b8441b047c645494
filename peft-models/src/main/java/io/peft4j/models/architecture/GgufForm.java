package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.models.architecture.GgufKey.Kind;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
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
    private final String architecture;
    private GgufNames names = GgufNames.NONE;
    private final Map<String, GgufKey> keys = new LinkedHashMap<>();
    private final Map<String, Object> fixed = new LinkedHashMap<>();
    private GgufDifferences differences = GgufDifferences.NONE;
    private GgufRotaryForm rotary = GgufRotaryForm.NONE;
    private Optional<Function<ModelConfig, HeadSizes>> headSizes = Optional.empty();
    private String limitKey = "";
    private int windowPeriod;
    private boolean separateOutput;
    private Predicate<GgufMetadata> reads = metadata -> true;
    private BiConsumer<GgufFile, ObjectNode> reading = (file, config) -> {
    };
    private Consumer<ModelConfig> writing = config -> {
    };
    private BiConsumer<GgufWriter, ModelConfig> adding = (writer, config) -> {
    };
    private Consumer<ObjectNode> filling = config -> {
    };
    private BiFunction<GgufForm, ModelConfig, GgufForm> completing = (form, config) -> form;

    private GgufForm(String architecture) {
        this.architecture = architecture;
    }

    private GgufForm with(Consumer<GgufForm> change) {
        GgufForm copy = new GgufForm(architecture);
        copy.names = names;
        copy.keys.putAll(keys);
        copy.fixed.putAll(fixed);
        copy.differences = differences;
        copy.headSizes = headSizes;
        copy.rotary = rotary;
        copy.limitKey = limitKey;
        copy.windowPeriod = windowPeriod;
        copy.separateOutput = separateOutput;
        copy.filling = filling;
        copy.reads = reads;
        copy.reading = reading;
        copy.writing = writing;
        copy.adding = adding;
        copy.completing = completing;
        change.accept(copy);
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
     * The form of a decoder like Llama: RMS norms, rotary positions, a feed-forward network gated by SiLU.
     *
     * @param architecture llama.cpp's {@code general.architecture}
     */
    public static GgufForm decoder(String architecture) {
        return decoder(architecture, "hidden_act", "silu");
    }

    /** As {@link #decoder(String)}, with another activation than SiLU, and the key that configurations have for it. */
    public static GgufForm decoder(String architecture, String key, String activation) {
        return of(architecture).fixed(key, activation)
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
        return with(form -> form.keys.put(gguf, new GgufKey(gguf, config, kind, fallback)));
    }

    /** Without a key that the shared form has. */
    public GgufForm withoutKey(String gguf) {
        return with(form -> form.keys.remove(gguf));
    }

    /**
     * A value that all models of the family have in llama.cpp, which keeps no key for it: it is added when a file is
     * read, and a model that has another one is not written.
     */
    public GgufForm fixed(String config, Object value) {
        return with(form -> form.fixed.put(config, value));
    }

    /** What the names of the layers' tensors begin with, in place of {@code model.layers}. */
    public GgufForm blocks(String prefix) {
        return blocks(prefix, "blk");
    }

    /**
     * As {@link #blocks(String)}, where llama.cpp has another name for the layers. Tensors that are stated from here on
     * are theirs.
     *
     * @param gguf what llama.cpp's names begin with, in place of {@code blk}
     */
    public GgufForm blocks(String prefix, String gguf) {
        return with(form -> form.names = names.stack(prefix, gguf));
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
        return with(form -> form.names = names.inLayers(place, gguf));
    }

    /** As {@link #tensor}, for tensors outside of the layers. */
    public GgufForm whole(String place, String gguf) {
        return with(form -> form.names = names.put(place, gguf));
    }

    /** Where a file has an output layer of its own though a model uses its embedding for it. */
    public GgufForm separateOutput() {
        return with(form -> form.separateOutput = true);
    }

    /** Without a tensor that the shared form has. */
    public GgufForm without(String gguf) {
        return with(form -> form.names = names.without(gguf));
    }

    /**
     * Fused projections whose rows are those of a head's queries, keys and values, head by head, in Hugging Face's
     * checkpoints; llama.cpp stores all queries, then all keys, then all values.
     */
    public GgufForm byHead(String... places) {
        return differing(GgufDifference.BY_HEAD, places);
    }

    /**
     * Places whose rows llama.cpp stores with the two elements of a rotated pair as neighbours, which in Hugging Face's
     * checkpoints are half a head apart.
     */
    public GgufForm rotaryPairs(String... places) {
        return differing(GgufDifference.ROTARY_PAIRS, places);
    }

    /** For models with rotary positions; a key of {@code config.json} with their base, and what holds without it. */
    public GgufForm rotary(String config, double fallback) {
        return with(form -> form.rotary = rotary.withBase(config, fallback));
    }

    /**
     * Where only a part of each head may be rotated.
     *
     * @param config the key of {@code config.json} with the part
     * @param fallback what holds where it has none
     */
    public GgufForm rotaryShare(String config, double fallback) {
        return with(form -> form.rotary = rotary.withShare(config, fallback));
    }

    /**
     * Where layers with a window have rotary frequencies of their own.
     *
     * @param config the key of {@code config.json} with their base
     * @param fallback the base that llama.cpp takes where a file does not say
     */
    public GgufForm localRotary(String config, double fallback) {
        return with(form -> form.rotary = rotary.withLocalBase(config, fallback));
    }

    /**
     * Where some layers have a window and others do not.
     *
     * @param period the last of each so many layers has none where neither file nor configuration says which do
     */
    public GgufForm windows(int period) {
        return with(form -> form.windowPeriod = period);
    }

    /** A key of {@code config.json} with a length beyond which llama.cpp computes something else. */
    public GgufForm contextUpTo(String config) {
        return with(form -> form.limitKey = config);
    }

    /**
     * What a file says of a head.
     *
     * @param key elements of a key
     * @param value elements of a value
     * @param rotated how many elements have positions
     */
    public record HeadSizes(int key, int value, int rotated) {
    }

    /** Where keys and values of a head are not as large as a head. */
    public GgufForm headSizes(Function<ModelConfig, HeadSizes> sizes) {
        return with(form -> form.headSizes = Optional.of(sizes));
    }

    /** Places whose adapters llama.cpp leaves out of its computation without a word. */
    public GgufForm withoutAdapters(String... places) {
        return differing(GgufDifference.WITHOUT_ADAPTERS, places);
    }

    /** Adds values that follow from others where a configuration leaves them out, before it is written. */
    public GgufForm filled(Consumer<ObjectNode> step) {
        return with(form -> form.filling = filling.andThen(step));
    }

    /** Adds what depends on the sizes of a model. */
    public GgufForm completed(BiFunction<GgufForm, ModelConfig, GgufForm> step) {
        return with(form -> form.completing = step);
    }

    /** The form of the files of one model. */
    public GgufForm of(ModelConfig config) {
        return completing.apply(this, config);
    }

    /** Places whose tensors differ in this way. */
    public GgufForm differing(GgufDifference difference, String... places) {
        return grouped(difference, GgufGroups.NONE, places);
    }

    /** Places whose tensors differ in a way that depends on groups of heads. */
    public GgufForm grouped(GgufDifference difference, GgufGroups groups, String... places) {
        return with(form -> form.differences = differences.at(difference, groups, places));
    }

    /**
     * A place whose rows llama.cpp stores as two tensors, of the first half and the second. Adapters go with merging
     * only.
     */
    public GgufForm halved(String place, String first, String second) {
        return differing(GgufDifference.HALVED, place)
                .tensor(place + ".0", first).tensor(place + ".1", second);
    }

    /** Places whose weights are matrices of one row, which llama.cpp stores as vectors. */
    public GgufForm oneRow(String... places) {
        return differing(GgufDifference.ONE_ROW, places);
    }

    /** Places whose weights Hugging Face stores as [in, out]. */
    public GgufForm transposed(String... places) {
        return differing(GgufDifference.TRANSPOSED, places);
    }

    /** Places, by the ends of their names, whose weights llama.cpp stores with 1 added: Gemma's norms. */
    public GgufForm shifted(String... ends) {
        return differing(GgufDifference.SHIFTED, ends);
    }

    /** Where several families share llama.cpp's name: which files are this one's. */
    public GgufForm reads(Predicate<GgufMetadata> files) {
        return with(form -> form.reads = files);
    }

    /** Where another family reads the files that are written for this one: Mistral's are Llama's to llama.cpp. */
    public GgufForm writtenOnly() {
        return reads(metadata -> false);
    }

    /** What else is to be done when a file's metadata has become a configuration. */
    public GgufForm reading(BiConsumer<GgufFile, ObjectNode> step) {
        return with(form -> form.reading = reading.andThen(step));
    }

    /** Refuses models that llama.cpp would compute in another way, by throwing. */
    public GgufForm writing(Consumer<ModelConfig> check) {
        return with(form -> form.writing = writing.andThen(check));
    }

    /** Adds keys that no value of {@code config.json} stands for. */
    public GgufForm adding(BiConsumer<GgufWriter, ModelConfig> step) {
        return with(form -> form.adding = adding.andThen(step));
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

    /** Whether a file always has an output layer. */
    public boolean hasSeparateOutput() {
        return separateOutput;
    }

    /** Where the rotary positions stand. */
    public GgufRotaryForm rotary() {
        return rotary;
    }

    /** What a file says of a head, where that does not follow from its size. */
    public Optional<HeadSizes> headSizes(ModelConfig config) {
        return headSizes.map(sizes -> sizes.apply(config));
    }

    /** The last of each so many layers has no window; 0 where all or none have one. */
    public int windowPeriod() {
        return windowPeriod;
    }

    /** The key with a length beyond which llama.cpp computes something else; empty if there is none. */
    public String limitKey() {
        return limitKey;
    }

    /** Adds values that follow from others. */
    public void fill(ObjectNode config) {
        filling.accept(config);
    }

    /** Whether a file with llama.cpp's name of the family is one of this family's. */
    public boolean isReadFrom(GgufMetadata metadata) {
        return reads.test(metadata);
    }

    /** Does what else is to be done with a configuration that was read. */
    public void complete(GgufFile file, ObjectNode config) {
        reading.accept(file, config);
    }

    /** Throws a {@link io.peft4j.core.error.PeftException} where llama.cpp would compute a model in another way. */
    public void requireWritable(ModelConfig config) {
        writing.accept(config);
    }

    /** Adds what stands for no value of the configuration. */
    public void add(GgufWriter writer, ModelConfig config) {
        adding.accept(writer, config);
    }

    /** llama.cpp's name of a tensor, without an expert's number; empty where it has none. */
    public Optional<String> toGguf(String name) {
        return names.toGguf(name);
    }

    /** Hugging Face's name of a tensor, with {@code #} in the place of an expert's number; empty where it has none. */
    public Optional<String> toHuggingFace(String name) {
        return names.toHuggingFace(name);
    }

    /** The number of the expert that a Hugging Face name means, or -1. */
    public int expert(String name) {
        return names.expert(name);
    }

    /** Whether rows of some tensors stand in an order by heads in a file. */
    public boolean reorders() {
        return differences.places().containsKey(GgufDifference.ROTARY_PAIRS)
                || differences.places().containsKey(GgufDifference.BY_HEAD);
    }

    /** Whether a Hugging Face tensor differs in this way; of layers its weight, of rows also their biases. */
    public boolean has(GgufDifference difference, String name) {
        return groups(difference, name).isPresent();
    }

    /** The groups of a Hugging Face tensor that differs in this way. */
    public Optional<GgufGroups> groups(GgufDifference difference, String name) {
        return switch (difference) {
            case SHIFTED -> differences.find(difference, end -> name.endsWith(end + ".weight"));
            case ONE_CHANNEL, ONE_ROW, TRANSPOSED -> name.endsWith(".weight") ? at(difference, name) : Optional.empty();
            default -> at(difference, name);
        };
    }

    private Optional<GgufGroups> at(GgufDifference difference, String name) {
        return differences.find(difference, place -> names.isOneOf(Set.of(place), name));
    }
}
