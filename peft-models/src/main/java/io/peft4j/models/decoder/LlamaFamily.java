package io.peft4j.models.decoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Llama 1 to 3 (<a href="https://arxiv.org/abs/2302.13971">2302.13971</a>), SmolLM 1 and 2, and other models of
 * {@code model_type} {@code llama}. Most families are described by what they change of it.
 */
public class LlamaFamily extends DecoderFamily {
    private static final int MOST_LAYERS = 10_000;

    /** For the {@link java.util.ServiceLoader}. */
    public LlamaFamily() {
        this("llama");
    }

    LlamaFamily(String modelType) {
        super(modelType);
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm("llama").reads(metadata -> metadata.integer("llama.expert_count", 0) == 0));
    }

    /** That of a family whose queries and keys llama.cpp stores as Llama's. */
    static GgufForm ggufForm(String architecture) {
        return GgufForm.decoder(architecture).rotaryPairs("self_attn.q_proj", "self_attn.k_proj");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        return plan(config, attention(config, 10000).withBiases(bias, bias), gated(config, "hidden_act", "silu"));
    }

    /** Llama with other parts, the same in each layer; output layer and embedding are apart by default. */
    static DecoderPlan plan(ModelConfig config, AttentionPlan attention, FeedForwardPlan feedForward) {
        return plan(config, attention, feedForward, false);
    }

    /**
     * Llama with other parts, the same in each layer.
     *
     * @param tied whether output layer and embedding are one where the configuration does not say so
     */
    static DecoderPlan plan(ModelConfig config, AttentionPlan attention, FeedForwardPlan feedForward, boolean tied) {
        return DecoderPlan.of(sizes(config, tied), NormPlan.rms(config.number("rms_norm_eps", 1e-6)),
                Collections.nCopies(layers(config, "num_hidden_layers"), LayerPlan.of(attention, feedForward)));
    }

    /** The number of layers, of which there are never so many that describing them fills the memory. */
    static int layers(ModelConfig config, String key) {
        int layers = config.positive(key);
        if (layers > MOST_LAYERS) {
            throw config.unsupported(key, layers, "at most " + MOST_LAYERS);
        }
        return layers;
    }

    /**
     * Llama's attention.
     *
     * @param theta the base of the rotary frequencies where none is given
     */
    static AttentionPlan attention(ModelConfig config, double theta) {
        return AttentionPlan.of(shape(config), RotaryEmbedding.of(config, theta, 1, headSize(config)));
    }

    /**
     * The numbers that all decoders have.
     *
     * @param tied whether output layer and embedding are one where the configuration does not say so
     */
    static DecoderPlan.Sizes sizes(ModelConfig config, boolean tied) {
        return new DecoderPlan.Sizes(config.positive("vocab_size"), config.positive("hidden_size"),
                RopeScaling.longest(config),
                config.flag("tie_word_embeddings", tied), paddingId(config));
    }

    /**
     * Llama's feed-forward network.
     *
     * @param key the key of its activation
     * @param usual the activation where none is given
     */
    static FeedForwardPlan.Gated gated(ModelConfig config, String key, String usual) {
        return new FeedForwardPlan.Gated(config.positive("intermediate_size"), activation(config, key, usual),
                config.flag("mlp_bias", false));
    }

    /** The activation under {@code key}. */
    static Activation activation(ModelConfig config, String key, String usual) {
        return Activation.of(config.text(key).orElse(usual));
    }

    /** D. */
    static int headSize(ModelConfig config) {
        return config.optionalPositive("head_dim")
                .orElseGet(() -> config.positive("hidden_size") / config.positive("num_attention_heads"));
    }

    /** The heads, with scores scaled by {@code 1 / sqrt(D)}. */
    static AttentionShape shape(ModelConfig config) {
        int heads = config.positive("num_attention_heads");
        int keyValueHeads = config.optionalPositive("num_key_value_heads").orElse(heads);
        int headSize = headSize(config);
        if (heads % keyValueHeads != 0 || headSize % 2 != 0) {
            throw new FileFormatException(config.file(), "num_attention_heads " + heads + " must be a multiple of "
                    + "num_key_value_heads " + keyValueHeads + ", and the head size " + headSize + " must be even");
        }
        return new AttentionShape(heads, keyValueHeads, headSize, (float) (1 / Math.sqrt(headSize)));
    }

    /** A negative id counts from the end of the vocabulary, as in PyTorch. */
    private static OptionalInt paddingId(ModelConfig config) {
        OptionalInt id = config.optionalInteger("pad_token_id");
        if (id.isEmpty()) {
            return id;
        }
        int vocabulary = config.positive("vocab_size");
        int row = id.getAsInt() < 0 ? id.getAsInt() + vocabulary : id.getAsInt();
        if (row < 0 || row >= vocabulary) {
            throw new FileFormatException(config.file(), "pad_token_id is " + id.getAsInt()
                    + ", which is outside the vocabulary of " + vocabulary);
        }
        return OptionalInt.of(row);
    }
}
