package io.peft4j.data.pack.support;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.pack.PackOptions;
import java.util.Arrays;
import java.util.List;

/**
 * Hands out batches without end, epoch after epoch, and can go on where another one stopped:
 *
 * <pre>{@code
 * BatchSampler sampler = new BatchSampler(sequences, PackOptions.ofTokens(2048));
 * PackedBatch batch = sampler.pack(sampler.next());
 * BatchSampler.State state = sampler.state();          // two numbers and a fingerprint; save it with the model
 * BatchSampler later = new BatchSampler(sequences, options).resume(state);
 * }</pre>
 */
public final class BatchSampler {
    private final List<TokenSequence> sequences;
    private final PackOptions options;
    private final long fingerprint;
    private List<int[]> batches;
    private int epoch;
    private int done;

    /**
     * Where a sampler stands.
     *
     * @param epoch epochs that are complete
     * @param batch batches of this epoch that were handed out
     * @param fingerprint of the sequences and the options
     */
    public record State(int epoch, int batch, long fingerprint) {
    }

    /**
     * A sampler at the beginning.
     *
     * @throws ConfigurationException when there is no sequence, or one is longer than a batch may be
     */
    public BatchSampler(List<TokenSequence> sequences, PackOptions options) {
        this.sequences = List.copyOf(sequences);
        this.options = options;
        if (sequences.isEmpty()) {
            throw new ConfigurationException("no sequences to batch");
        }
        this.fingerprint = fingerprint();
        this.batches = BatchPlan.of(this.sequences, options, 0);
    }

    /** The numbers of the sequences of the next batch. */
    public int[] next() {
        if (done == batches.size()) {
            epoch++;
            done = 0;
            batches = BatchPlan.of(sequences, options, epoch);
        }
        return batches.get(done++).clone();
    }

    /** Sequences by their numbers as the engine takes them. */
    public PackedBatch pack(int... numbers) {
        List<TokenSequence> members = Arrays.stream(numbers).mapToObj(sequences::get).toList();
        return options.sharePrefixes() ? PackedBatch.sharingPrefixes(members) : PackedBatch.of(members);
    }

    /** Batches of the epoch that is under way. */
    public int batchesInEpoch() {
        return batches.size();
    }

    /** Where it stands. */
    public State state() {
        return new State(epoch, done, fingerprint);
    }

    /**
     * Goes on from a state.
     *
     * @return this
     * @throws ConfigurationException when the state is of other sequences or options
     */
    public BatchSampler resume(State state) {
        if (state.fingerprint() != fingerprint || state.epoch() < 0) {
            throw new ConfigurationException("cannot resume: the sampler's state belongs to other data or options");
        }
        seek(state.epoch(), state.batch());
        return this;
    }

    /** Goes on with a batch of an epoch, both counted from 0. */
    public void seek(int newEpoch, int batch) {
        if (newEpoch != epoch) {
            epoch = newEpoch;
            batches = BatchPlan.of(sequences, options, epoch);
        }
        done = Math.min(Math.max(0, batch), batches.size());
    }

    private long fingerprint() {
        // Not the record's own hash: that of an enum differs from run to run.
        long hash = 31L * (31L * (31L * options.tokens() + options.sequences()) + options.strategy().ordinal())
                + options.seed() * 4 + (options.shuffle() ? 2 : 0) + (options.sharePrefixes() ? 1 : 0);
        for (TokenSequence sequence : sequences) {
            hash = 0x9E3779B97F4A7C15L * hash + Arrays.hashCode(sequence.ids());
            hash = 0x9E3779B97F4A7C15L * hash + Arrays.hashCode(sequence.weights());
        }
        return hash;
    }
}
