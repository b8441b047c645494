package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.LayerMemory;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the attention of a layer is made of.
 *
 * @param name the place below the layer's
 * @param shape heads, sizes, scale and soft cap of the scores
 * @param projections where queries, keys and values come from
 * @param output the place of the projection of the result, below the attention's own
 * @param bias whether the projections of the input have biases
 * @param outputBias whether that of the result has one
 * @param norms norms of queries and keys, if any
 * @param positions how the attention knows positions
 * @param window how many tokens a token sees, itself included; 0: all before it
 * @param sinks whether each head has one more logit in its softmax, {@code sinks}
 */
record AttentionPlan(String name, AttentionShape shape, Projections projections, String output, boolean bias,
        boolean outputBias, Optional<HeadNorms> norms, Positions positions, int window, boolean sinks)
        implements
            MixerPlan {
    /** Where queries, keys and values come from; names are below the attention's place. */
    sealed interface Projections {
    }

    record Separate(String query, String key, String value, Gate gate) implements Projections {
        /** Llama's. */
        static final Separate LLAMA = new Separate("q_proj", "k_proj", "v_proj", Gate.NONE);

        Separate withGate(Gate value) {
            return new Separate(query, key, this.value, value);
        }
    }

    /** Where the sigmoids come from that the result is multiplied with. */
    enum Gate {
        /** There are none. */
        NONE,
        /** One for each element, from the projection of the queries: each head has the query, then its gate. */
        IN_QUERY,
        /** One for each head, from a projection at {@code g_proj}. */
        BY_HEAD
    }

    /**
     * One projection for all three, one place for adapters.
     *
     * @param byHead whether its features are query, key and value of the first head, then of the second, instead of
     *     all queries, then all keys, then all values
     */
    record Fused(String name, boolean byHead) implements Projections {
    }

    /**
     * A projection each, where values are normalized without a weight; names are Llama's.
     *
     * @param keysAreValues whether there is none of values, which are what the projection of the keys gives
     * @param shared whether later layers attend to these keys and values, too
     */
    record NormedValues(boolean keysAreValues, boolean shared) implements Projections {
    }

    /**
     * A projection of queries, {@code q_proj}, to the keys and values of an earlier layer.
     *
     * @param layer its number
     */
    record OfEarlier(int layer) implements Projections {
    }

    /** A projection each; those of keys and values are of an encoder's states, too; see {@link MergedAttention}. */
    record Merged() implements Projections {
    }

    /**
     * Multi-head latent attention: queries, and keys with values, come through a narrow normalized state each.
     *
     * @param queryRank width of the queries' state; empty: queries come from the input
     * @param stateRank width of that of keys and values
     * @param plain elements of a head without positions; those with positions are the rest
     * @param valueSize elements of a head's value
     */
    record Latent(OptionalInt queryRank, int stateRank, int plain, int valueSize) implements Projections {
        /** How files hold what makes keys and values. */
        LatentFiles files(AttentionShape shape) {
            return new LatentFiles(shape.heads(), plain, valueSize, stateRank);
        }
    }

    /**
     * Norms of queries and keys, below the attention's place.
     *
     * @param extent what is normalized
     * @param rotated whether they stand behind the rotation
     * @param clip the bound of normalized queries and keys, and of values; 0: none
     */
    record HeadNorms(String query, String key, Extent extent, boolean rotated, float clip) {
        /** What is normalized, and by which weight. */
        enum Extent {
            /** Each head separately, all with one weight. */
            HEAD,
            /** Each head separately, by a layer norm without a bias of its own. */
            OWN,
            /** All heads at once. */
            ALL
        }

        static HeadNorms ofHeads(String query, String key) {
            return new HeadNorms(query, key, Extent.HEAD, false, 0);
        }

        static HeadNorms ofAll(String query, String key) {
            return new HeadNorms(query, key, Extent.ALL, false, 0);
        }

        /** Behind the rotation. */
        HeadNorms behindRotation() {
            return new HeadNorms(query, key, extent, true, clip);
        }

        HeadNorms withClip(double value) {
            return new HeadNorms(query, key, extent, rotated, (float) value);
        }
    }

    /**
     * How attention knows positions.
     *
     * @param rotary rotary positions; empty in a layer without
     * @param queryScale a factor on queries that grows with the position, if any
     */
    record Positions(Optional<RotaryEmbedding> rotary, Optional<QueryScale> queryScale) {
        static final Positions NONE = new Positions(Optional.empty(), Optional.empty());

        static Positions rotary(RotaryEmbedding rotary) {
            return new Positions(Optional.of(rotary), Optional.empty());
        }
    }

    /** The factor {@code 1 + beta * log(1 + floor(position / original))} on queries, as Ministral 3 has it. */
    record QueryScale(float beta, int original) {
        float at(int position) {
            return (float) (1 + beta * Math.log(1 + position / original));
        }
    }

    /** Refuses null. */
    AttentionPlan {
        Objects.requireNonNull(shape, "shape");
        Objects.requireNonNull(norms, "norms");
        Objects.requireNonNull(positions, "positions");
    }

    /** Llama's. */
    static AttentionPlan of(AttentionShape shape, RotaryEmbedding rotary) {
        return new AttentionPlan("self_attn", shape, Separate.LLAMA, "o_proj", false, false, Optional.empty(),
                Positions.rotary(rotary), 0, false);
    }

    AttentionPlan withNames(String own, Projections input, String result) {
        return new AttentionPlan(own, shape, input, result, bias, outputBias, norms, positions, window, sinks);
    }

    AttentionPlan withShape(AttentionShape value) {
        return new AttentionPlan(name, value, projections, output, bias, outputBias, norms, positions, window, sinks);
    }

    /** With another factor on the scores. */
    AttentionPlan withScale(double value) {
        return withShape(new AttentionShape(shape.heads(), shape.keyValueHeads(), shape.headSize(), (float) value,
                shape.softCap()));
    }

    AttentionPlan withSoftCap(double value) {
        return withShape(new AttentionShape(shape.heads(), shape.keyValueHeads(), shape.headSize(), shape.scale(),
                (float) value));
    }

    AttentionPlan withBiases(boolean inputs, boolean result) {
        return new AttentionPlan(name, shape, projections, output, inputs, result, norms, positions, window, sinks);
    }

    AttentionPlan withNorms(HeadNorms value) {
        return new AttentionPlan(name, shape, projections, output, bias, outputBias, Optional.of(value), positions,
                window, sinks);
    }

    AttentionPlan withPositions(Positions value) {
        return new AttentionPlan(name, shape, projections, output, bias, outputBias, norms, value, window, sinks);
    }

    AttentionPlan withWindow(int value) {
        return new AttentionPlan(name, shape, projections, output, bias, outputBias, norms, positions, value, sinks);
    }

    AttentionPlan withSinks() {
        return new AttentionPlan(name, shape, projections, output, bias, outputBias, norms, positions, window, true);
    }

    @Override
    public Optional<AttentionPlan> attention() {
        return Optional.of(this);
    }

    @Override
    public LayerMemory memory() {
        return projections instanceof OfEarlier earlier ? new LayerMemory.Shared(earlier.layer())
                : new LayerMemory.KeysAndValues(shape.keyColumns());
    }

    /** Queries, keys or values within the bound that they have, if any. */
    Variable clipped(Tape tape, Variable x) {
        float bound = norms.map(HeadNorms::clip).orElse(0f);
        return bound == 0 ? x : ElementwiseOps.clamp(tape, x, bound);
    }

    /** Elements of a head's value. */
    int valueSize() {
        return projections instanceof Latent latent ? latent.valueSize() : shape.headSize();
    }
}
