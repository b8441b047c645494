package io.peft4j.models.seq2seq;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.OptionalInt;

/**
 * The sizes of a T5 model; components are named as the keys of {@code config.json} where these are words.
 *
 * @param vocabulary V
 * @param hidden H, {@code d_model}
 * @param width width of the feed-forward networks, {@code d_ff}
 * @param layers layers of the encoder
 * @param decoderLayers layers of the decoder
 * @param shape heads; scores are not scaled
 * @param buckets rows of the table of relative positions
 * @param maxDistance positions further apart count as this far
 * @param dropout probability with which elements are dropped in training
 * @param epsilon epsilon of the norms
 * @param activation of the feed-forward networks
 * @param gated whether they are gated
 * @param scalesOutput whether the last hidden states are divided by the root of H before the output layer
 * @param startToken the first token of the decoder
 * @param paddingId the token whose embedding is not trained
 */
record T5Config(int vocabulary, int hidden, int width, int layers, int decoderLayers, AttentionShape shape, int buckets,
        int maxDistance, float dropout, float epsilon, Activation activation, boolean gated, boolean scalesOutput,
        int startToken, OptionalInt paddingId) {
    /** Positions are relative: the model has no limit of its own, and memory is one. */
    static final int LONGEST = 1 << 15;

    /**
     * Reads a configuration.
     *
     * @param scales whether models of the type scale what enters a tied output layer
     */
    static T5Config of(ModelConfig config, boolean scales) {
        int vocabulary = config.positive("vocab_size");
        int layers = config.positive("num_layers");
        int heads = config.positive("num_heads");
        int pad = config.optionalInteger("pad_token_id").orElse(0);
        int start = config.optionalInteger("decoder_start_token_id").orElse(pad);
        if (start < 0 || start >= vocabulary) {
            throw new FileFormatException(config.file(), "decoder_start_token_id is " + start
                    + ", which is outside the vocabulary of " + vocabulary);
        }
        String kind = config.text("feed_forward_proj").orElse("relu");
        int buckets = config.optionalPositive("relative_attention_num_buckets").orElse(32);
        int distance = config.optionalPositive("relative_attention_max_distance").orElse(128);
        if (buckets < 4 || buckets % 2 != 0 || distance <= buckets / 2 || distance > LONGEST) {
            throw new FileFormatException(config.file(), "relative_attention_num_buckets " + buckets + " must be even "
                    + "and at least 4, and relative_attention_max_distance " + distance + " more than half of it, and "
                    + "at most " + LONGEST);
        }
        return new T5Config(vocabulary, config.positive("d_model"), config.positive("d_ff"), layers,
                config.optionalPositive("num_decoder_layers").orElse(layers),
                new AttentionShape(heads, heads, config.positive("d_kv"), 1), buckets, distance,
                config.probability("dropout_rate", 0.1),
                (float) config.number("layer_norm_epsilon", 1e-6), activation(config, kind),
                kind.startsWith("gated-"), scales && config.flag("tie_word_embeddings", true), start,
                pad >= 0 && pad < vocabulary ? OptionalInt.of(pad) : OptionalInt.empty());
    }

    /** What the last hidden states are multiplied by before the output layer. */
    float outputFactor() {
        return scalesOutput ? (float) (1 / Math.sqrt(hidden)) : 1;
    }

    /** {@code relu}, or {@code gated-gelu}, which is the approximation with tanh. */
    private static Activation activation(ModelConfig config, String kind) {
        String name = kind.equals("gated-gelu") ? "gelu_new" : kind.replaceFirst("^gated-", "");
        try {
            return Activation.of(name);
        } catch (ConfigurationException e) {
            throw new FileFormatException(config.file(), "feed_forward_proj is " + kind + ": " + e.getMessage(), e);
        }
    }
}
