package io.peft4j.models.decoder;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/**
 * What a decoder is made of, by value: the difference between two families is a difference between two of these.
 *
 * @param sizes the numbers that all decoders have
 * @param names where the parts outside of the layers stand
 * @param norm the kind of all norms
 * @param layers the layers from the embedding on
 * @param embeddingScale factor on what comes out of the embedding
 * @param logitScale factor on the logits
 */
record DecoderPlan(Sizes sizes, Names names, NormPlan norm, List<LayerPlan> layers, float embeddingScale,
        float logitScale) {
    /**
     * The numbers that all decoders have.
     *
     * @param vocabulary V
     * @param hidden H
     * @param maxPositions the longest sequence
     * @param tied whether the output layer is the input embedding
     * @param paddingId the token whose embedding is not trained
     */
    record Sizes(int vocabulary, int hidden, int maxPositions, boolean tied, OptionalInt paddingId) {
    }

    /**
     * Paths, as in the checkpoint.
     *
     * @param embedding the input embedding
     * @param layers what all layers stand below, by their numbers
     * @param norm the final norm
     * @param head the output layer
     */
    record Names(String embedding, String layers, String norm, String head) {
        /** Llama's. */
        static final Names LLAMA = new Names("model.embed_tokens", "model.layers", "model.norm", "lm_head");
    }

    /** Copies the list. */
    DecoderPlan {
        layers = List.copyOf(layers);
    }

    /** Without multipliers, and with Llama's names. */
    static DecoderPlan of(Sizes sizes, NormPlan norm, List<LayerPlan> layers) {
        return new DecoderPlan(sizes, Names.LLAMA, norm, layers, 1, 1);
    }

    /** The same with every layer changed. */
    DecoderPlan mapLayers(UnaryOperator<LayerPlan> change) {
        return new DecoderPlan(sizes, names, norm, layers.stream().map(change).toList(), embeddingScale, logitScale);
    }

    DecoderPlan withEmbeddingScale(double value) {
        return new DecoderPlan(sizes, names, norm, layers, (float) value, logitScale);
    }

    DecoderPlan withLogitScale(double value) {
        return new DecoderPlan(sizes, names, norm, layers, embeddingScale, (float) value);
    }
}
