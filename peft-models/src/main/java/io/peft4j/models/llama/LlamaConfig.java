package io.peft4j.models.llama;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.ModelConfig;
import java.util.OptionalInt;

/**
 * The sizes of a Llama model; components are named as the keys of {@code config.json}.
 *
 * @param vocabSize V
 * @param hiddenSize H
 * @param intermediateSize width of the feed-forward network
 * @param layers number of decoder layers
 * @param heads number of query heads
 * @param keyValueHeads number of key and value heads
 * @param headDim D
 * @param maxPositions the longest sequence
 * @param rmsNormEps epsilon of the norms
 * @param tieWordEmbeddings whether the output layer is the input embedding
 * @param attentionBias whether the attention's linear layers have biases
 * @param mlpBias whether the feed-forward network's linear layers have biases
 * @param paddingId token whose embedding is not trained ({@code pad_token_id})
 */
record LlamaConfig(int vocabSize, int hiddenSize, int intermediateSize, int layers, int heads, int keyValueHeads,
        int headDim, int maxPositions, float rmsNormEps, boolean tieWordEmbeddings, boolean attentionBias,
        boolean mlpBias, OptionalInt paddingId) {
    static LlamaConfig of(ModelConfig config) {
        String activation = config.text("hidden_act").orElse("silu");
        if (!activation.equals("silu")) {
            throw config.unsupported("hidden_act", activation, "silu");
        }
        int hidden = config.positive("hidden_size");
        int heads = config.positive("num_attention_heads");
        int headDim = config.optionalPositive("head_dim").orElse(hidden / heads);
        int keyValueHeads = config.optionalPositive("num_key_value_heads").orElse(heads);
        if (heads % keyValueHeads != 0 || headDim % 2 != 0) {
            throw new FileFormatException(config.file(), "num_attention_heads " + heads + " must be a multiple of "
                    + "num_key_value_heads " + keyValueHeads + ", and the head size " + headDim + " must be even");
        }
        return new LlamaConfig(config.positive("vocab_size"), hidden, config.positive("intermediate_size"),
                config.positive("num_hidden_layers"), heads, keyValueHeads, headDim,
                config.optionalPositive("max_position_embeddings").orElse(2048),
                (float) config.number("rms_norm_eps", 1e-6), config.flag("tie_word_embeddings", false),
                config.flag("attention_bias", false), config.flag("mlp_bias", false), paddingId(config));
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

    AttentionShape attentionShape() {
        return new AttentionShape(heads, keyValueHeads, headDim, (float) (1 / Math.sqrt(headDim)));
    }
}
