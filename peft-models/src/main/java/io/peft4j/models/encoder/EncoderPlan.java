package io.peft4j.models.encoder;

import io.peft4j.core.kernel.Activation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What an encoder is made of. All names are those of a checkpoint's tensors below the network's prefix.
 *
 * @param sizes the sizes
 * @param embeddings what enters the first layer
 * @param layers the layers, from the first
 * @param finalNorm the name of a norm after the last layer, if there is one
 * @param norm the kind of all layer norms
 * @param dropout probability with which what a part adds is dropped in training
 */
record EncoderPlan(Sizes sizes, Embeddings embeddings, List<LayerPlan> layers, Optional<String> finalNorm, Norm norm,
        float dropout) {
    /**
     * The sizes.
     *
     * @param vocabulary V
     * @param hidden H
     * @param maxPositions the longest sequence
     * @param paddingId the token whose embedding is not trained
     */
    record Sizes(int vocabulary, int hidden, int maxPositions, OptionalInt paddingId) {
    }

    /**
     * The kind of all norms.
     *
     * @param epsilon added to the variance, or to the mean of squares
     * @param bias whether a layer norm has a bias
     * @param rms whether it is an RMS norm instead of a layer norm
     */
    record Norm(float epsilon, boolean bias, boolean rms) {
        Norm(float epsilon, boolean bias) {
            this(epsilon, bias, false);
        }
    }

    /**
     * The sum of embeddings.
     *
     * @param words the name of the embedding of tokens
     * @param positions the embedding of positions, if there is one
     * @param types the embedding of the text that a token belongs to, if there is one
     * @param norm the name of a norm of it, if there is one
     * @param width elements of an embedding
     * @param projection the name of a linear layer from there to H, where they differ
     */
    record Embeddings(String words, Optional<Table> positions, Optional<Table> types, Optional<String> norm, int width,
            Optional<String> projection) {
    }

    /**
     * A table of embeddings.
     *
     * @param name its name
     * @param rows its rows
     * @param offset the row of the first position
     */
    record Table(String name, int rows, int offset) {
    }

    /**
     * A layer.
     *
     * @param path its path
     * @param attention its attention
     * @param feedForward its feed-forward network
     * @param attentionNorm the path of the norm of the attention, where it has one
     * @param feedForwardNorm the path of the norm of the feed-forward network
     * @param normsFirst whether norms stand before the parts, and what a part gives is added to what entered the norm;
     *     otherwise they stand after the sum
     */
    record LayerPlan(String path, AttentionPlan attention, FeedForwardPlan feedForward, Optional<String> attentionNorm,
            String feedForwardNorm, boolean normsFirst) {
    }

    /**
     * Attention.
     *
     * @param path the path of the layer directly before {@code output}
     * @param projections the names of the linear layers of queries, keys and values below it: three, or one for all
     * @param output the path of the linear layer of the result
     * @param heads number of heads
     * @param keyValueHeads number of heads of keys and values
     * @param headSize elements of a head
     * @param bias whether the linear layers have a bias
     * @param positions how it knows positions, where not from the embeddings
     * @param window a token sees so many tokens, half of them on either side; 0: all
     * @param together what some checkpoints call one weight of all projections, one after the other
     */
    record AttentionPlan(String path, List<String> projections, String output, int heads, int keyValueHeads,
            int headSize, boolean bias, Optional<Positions> positions, int window, Optional<String> together) {
        /** With as many heads of keys and values. */
        AttentionPlan(String path, List<String> projections, String output, int heads, int headSize, boolean bias,
                Optional<Positions> positions, int window) {
            this(path, projections, output, heads, heads, headSize, bias, positions, window, Optional.empty());
        }
    }

    /** How attention itself knows positions. */
    sealed interface Positions {
    }

    /**
     * Rotary embeddings.
     *
     * @param theta base of the frequencies
     */
    record Rotary(double theta) implements Positions {
    }

    /**
     * A bias on scores by distance, which all layers share.
     *
     * @param table the name of its table
     * @param buckets the rows of the table
     * @param farthest the distance that further ones count as
     */
    record Relative(String table, int buckets, int farthest) implements Positions {
    }

    /**
     * Scores that compare contents with embeddings of distances, which all layers share.
     *
     * @param table the name of the embeddings
     * @param norm the name of a norm of them, if there is one
     * @param buckets which row of the table a distance has
     * @param keys the name, below the attention's path, of the projection that queries are compared with, where
     *     they are
     * @param queries the name of the projection that keys are compared with, where they are
     */
    record Disentangled(String table, Optional<String> norm, DistanceBuckets buckets, Optional<String> keys,
            Optional<String> queries) implements Positions {
    }

    /**
     * A feed-forward network.
     *
     * @param up the path of the first linear layer; of a gated one, it gives what is activated and then what it is
     *     multiplied with, or there is a second layer for that
     * @param down the path of the second
     * @param width elements between them
     * @param activation what is between them
     * @param gated whether it is gated
     * @param bias whether the linear layers have a bias
     */
    record FeedForwardPlan(List<String> up, String down, int width, Activation activation, boolean gated,
            boolean bias) {
        /** With one layer before the activation. */
        FeedForwardPlan(String up, String down, int width, Activation activation, boolean gated, boolean bias) {
            this(List.of(up), down, width, activation, gated, bias);
        }
    }
}
