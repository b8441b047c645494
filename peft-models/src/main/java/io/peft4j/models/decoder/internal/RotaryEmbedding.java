package io.peft4j.models.decoder.internal;

import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/**
 * The rotary position embedding of a layer (RoFormer, <a href="https://arxiv.org/abs/2104.09864">2104.09864</a>):
 * {@code inverseFrequency[i] = theta^(-2i/D)}, rescaled where the configuration asks for it ({@link RopeScaling}). The
 * table of angles grows with the longest sequence seen. Safe for use by many threads.
 */
final class RotaryEmbedding {
    private static final int FIRST_POSITIONS = 512;

    private final RopeScaling scaling;
    private final boolean neighbours;
    private volatile Cached cached;

    /** A table, and the lengths that its frequencies are for. */
    private record Cached(int regime, RotaryTable table) {
    }

    private RotaryEmbedding(RopeScaling scaling, boolean neighbours) {
        this.scaling = scaling;
        this.neighbours = neighbours;
        this.cached = table(1, FIRST_POSITIONS);
    }

    /**
     * The embedding that {@code rope_parameters} (or {@code rope_scaling} and {@code rope_theta}) describe.
     *
     * @param theta the base of the frequencies where none is given
     * @param share the part of a head that is rotated where {@code partial_rotary_factor} is not given
     * @param headSize D
     */
    static RotaryEmbedding of(ModelConfig config, double theta, double share, int headSize) {
        ModelConfig rope = config.object("rope_parameters").or(() -> config.object("rope_scaling")).orElse(config);
        return of(config, rope, config.number("rope_theta", theta), share, headSize);
    }

    /**
     * As {@link #of(ModelConfig, double, double, int)}, with parameters from elsewhere.
     *
     * @param rope the object that has the kind of scaling, or the configuration itself where there is none
     */
    static RotaryEmbedding of(ModelConfig config, ModelConfig rope, double theta, double share, int headSize) {
        double rotated = rope.number("partial_rotary_factor", config.number("partial_rotary_factor", share));
        if (!(rotated > 0 && rotated <= 1) || (int) (headSize * rotated) < 2) {
            throw config.unsupported("the rotated part of a head of " + headSize, rotated,
                    "more than 0 and at most 1, and at least two elements");
        }
        if (rope != config && rope.text("rope_type").equals(Optional.of("proportional"))) {
            return new RotaryEmbedding(RopeScaling.proportional(rope.number("rope_theta", theta), headSize, rotated,
                    rope.number("factor", 1)), false);
        }
        return new RotaryEmbedding(RopeScaling.of(config, rope, rope.number("rope_theta", theta),
                (int) (headSize * rotated)), false);
    }

    /** The embedding of a layer that has a base of its own. */
    static RotaryEmbedding withBase(ModelConfig config, double theta) {
        ModelConfig rope = config.object("rope_parameters").or(() -> config.object("rope_scaling")).orElse(config);
        int rotated = LlamaFamily.headSize(config);
        return new RotaryEmbedding(RopeScaling.of(config, rope, theta, rotated), false);
    }

    /** The same with pairs of elements side by side instead of one of each half. */
    RotaryEmbedding withNeighbours() {
        return new RotaryEmbedding(scaling, true);
    }

    /**
     * A table with at least {@code length} positions.
     *
     * @param length of the longest sequence: some kinds of scaling depend on it
     */
    RotaryTable table(int length) {
        Cached current = cached;
        if (current.regime() != scaling.regime(length) || current.table().positions() < length) {
            boolean grows = current.regime() == scaling.regime(length);
            current = table(length, Math.max(length, grows ? 2 * current.table().positions() : FIRST_POSITIONS));
            cached = current;
        }
        return current.table();
    }

    private Cached table(int length, int positions) {
        return new Cached(scaling.regime(length), new RotaryTable(scaling.inverseFrequencies(length), positions,
                scaling.attentionFactor(), neighbours));
    }
}
