package io.peft4j.core.nn;

import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a forward pass needs besides its input: the tape, the batch, the chosen layers, and in generation the key/value
 * cache. Made for one pass.
 */
public final class ForwardContext {
    private final Tape tape;
    private final PackedBatch batch;
    private final LayerSelection layers;
    private final Optional<KvCache> cache;
    private final boolean training;
    private long dropoutSeed;

    private ForwardContext(Tape tape, PackedBatch batch, LayerSelection layers, Optional<KvCache> cache,
            boolean training, long seed) {
        this.tape = Objects.requireNonNull(tape, "tape");
        this.batch = Objects.requireNonNull(batch, "batch");
        this.layers = Objects.requireNonNull(layers, "layers");
        this.cache = cache;
        this.training = training;
        this.dropoutSeed = seed;
    }

    /**
     * A pass that trains: dropout is on.
     *
     * @param seed seed of this pass's dropout
     */
    public static ForwardContext training(Tape tape, PackedBatch batch, LayerSelection layers, long seed) {
        return new ForwardContext(tape, layers.prepare(batch), layers, Optional.empty(), true, seed);
    }

    /** A pass that evaluates: dropout is off. */
    public static ForwardContext evaluation(Tape tape, PackedBatch batch, LayerSelection layers) {
        return new ForwardContext(tape, layers.prepare(batch), layers, Optional.empty(), false, 0);
    }

    /** A pass of generation: keys and values go into {@code cache}, and attention reads them from there. */
    public static ForwardContext generation(Tape tape, PackedBatch batch, LayerSelection layers, KvCache cache) {
        return new ForwardContext(tape, batch, layers, Optional.of(cache), false, 0);
    }

    /** The tape that records the pass. */
    public Tape tape() {
        return tape;
    }

    /** The tokens, their positions and what each may see. */
    public PackedBatch batch() {
        return batch;
    }

    /** The layer that runs at each place. */
    public LayerSelection layers() {
        return layers;
    }

    /** The key/value cache, in generation. */
    public Optional<KvCache> cache() {
        return cache;
    }

    /** Whether dropout is on. */
    public boolean isTraining() {
        return training;
    }

    /** The input of a layer that reads the batch itself, as an embedding reads the token ids. */
    public Variable noInput() {
        return tape.record(tape.allocateFloat(1), (output, gradient) -> { }, List.of());
    }

    /** A seed for the next application of dropout in this pass; the sequence depends on the pass's seed alone. */
    public long nextDropoutSeed() {
        dropoutSeed = dropoutSeed * 6364136223846793005L + 1442695040888963407L;
        return dropoutSeed;
    }
}
