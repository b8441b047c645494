package io.peft4j.models.decoder;

import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The rotary position embedding of a layer (RoFormer, <a href="https://arxiv.org/abs/2104.09864">2104.09864</a>):
 * {@code inverseFrequency[i] = theta^(-2i/D)}, rescaled where the configuration asks for it ({@link RopeScaling}). The
 * table of angles grows with the longest sequence seen. Where frequencies depend on the length, they do on that of each
 * sequence separately. Safe for use by many threads.
 */
final class RotaryEmbedding {
    private static final int FIRST_POSITIONS = 512;

    private final RopeScaling scaling;
    private final boolean neighbours;
    private volatile Cached cached;

    /** A table with the frequencies of some regimes, each for so many positions. */
    private record Cached(int[] regimes, int positions, RotaryTable table) {
        boolean serves(int[] wanted, int length) {
            return Arrays.equals(regimes, wanted) && positions >= length;
        }
    }

    /**
     * The angles of some rows.
     *
     * @param table cosines and sines
     * @param positions for each row its place in the table
     */
    record Angles(RotaryTable table, int[] positions) {
    }

    private RotaryEmbedding(RopeScaling scaling, boolean neighbours) {
        this.scaling = scaling;
        this.neighbours = neighbours;
        this.cached = table(new int[] {1}, FIRST_POSITIONS);
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
     * @param rope the object that has the kind of scaling, or the configuration itself if there is none
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

    /** Whether frequencies depend on the length of a sequence. */
    boolean dependsOnLength() {
        return scaling.dependsOnLength();
    }

    /** The angles of the rows of a batch. */
    Angles angles(PackedBatch batch) {
        int needed = batch.maxPosition() + 1;
        if (!scaling.dependsOnLength()) {
            return new Angles(table(needed, 1).table(), batch.positions());
        }
        // Lengths of one regime have the same frequencies: the first of each stands for all.
        int[] lengths = IntStream.of(batch.lengths()).map(scaling::representative).toArray();
        int[] different = IntStream.of(lengths).sorted().distinct().toArray();
        Cached all = table(needed, different);
        int[] places = new int[lengths.length];
        for (int i = 0; i < places.length; i++) {
            places[i] = Arrays.binarySearch(different, lengths[i]) * all.positions() + batch.positions()[i];
        }
        return new Angles(all.table(), places);
    }

    private Cached table(int needed, int... lengths) {
        Cached current = cached;
        if (!current.serves(lengths, needed)) {
            boolean grows = Arrays.equals(current.regimes(), lengths);
            current = table(lengths, Math.max(needed, grows ? 2 * current.positions() : FIRST_POSITIONS));
            cached = current;
        }
        return current;
    }

    private Cached table(int[] lengths, int positions) {
        RotaryTable table = IntStream.of(lengths).mapToObj(length -> new RotaryTable(
                scaling.inverseFrequencies(length), positions, scaling.attentionFactor(), neighbours))
                .reduce(RotaryTable::followedBy).orElseThrow();
        return new Cached(lengths, positions, table);
    }
}
