package io.peft4j.train;

import io.peft4j.data.pack.BatchSampler;
import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which batches an update sees: they depend on its number and the options alone. Updates count from 0; each takes as
 * many batches as gradients are accumulated over, the last one of an epoch what is left.
 */
final class Sampler {
    private TrainingSet examples;
    private final TrainingOptions options;
    private final BatchSampler batches;
    private final long maxSteps;
    /** Examples that the first updates of an epoch see, by the number of these updates. */
    private long[] seen = new long[0];
    private long epochSeen = -1;

    /** @param maxSteps updates in all; 0 where the epochs decide */
    Sampler(TrainingSet examples, TrainingOptions options, long maxSteps) {
        this.maxSteps = maxSteps;
        this.examples = examples;
        this.options = options;
        this.batches = new BatchSampler(examples.sequences(), options.packOptions());
    }

    /** From now on the same sequences with more about them. */
    void replace(TrainingSet same) {
        examples = same;
    }

    /** Updates an epoch. All epochs have as many batches: their number follows from the lengths alone. */
    int stepsPerEpoch() {
        int accumulated = options.gradientAccumulation();
        return batches.batchesInEpoch() / accumulated + (batches.batchesInEpoch() % accumulated == 0 ? 0 : 1);
    }

    /** Updates in all. */
    long totalSteps() {
        return maxSteps > 0 ? maxSteps : (long) stepsPerEpoch() * options.epochs();
    }

    /** The batches of an update. */
    List<List<EncodedExample>> batches(long step) {
        long first = step % stepsPerEpoch() * options.gradientAccumulation();
        batches.seek((int) (step / stepsPerEpoch()), (int) first);
        List<List<EncodedExample>> taken = new ArrayList<>();
        long last = Math.min(batches.batchesInEpoch(), first + options.gradientAccumulation());
        for (long i = first; i < last; i++) {
            taken.add(Arrays.stream(batches.next()).mapToObj(examples.examples()::get).toList());
        }
        return taken;
    }

    /** Epochs that so many updates make up. */
    double epochs(long steps) {
        long whole = steps / stepsPerEpoch();
        int inEpoch = (int) (steps % stepsPerEpoch());
        return inEpoch == 0 ? whole : whole + (double) seen(whole)[inEpoch] / examples.examples().size();
    }

    private long[] seen(long epoch) {
        if (epoch != epochSeen) {
            long[] sums = new long[stepsPerEpoch() + 1];
            for (int i = 0; i < stepsPerEpoch(); i++) {
                sums[i + 1] = sums[i] + batches(epoch * stepsPerEpoch() + i).stream().mapToLong(List::size).sum();
            }
            seen = sums;
            epochSeen = epoch;
        }
        return seen;
    }

    /** Tokens of all updates from one on. */
    long tokensFrom(long step) {
        return tokensTo(totalSteps()) - tokensTo(step);
    }

    /** Tokens of the updates before one. */
    private long tokensTo(long step) {
        long tokens = examples.tokens() * (step / stepsPerEpoch());
        for (long done = step - step % stepsPerEpoch(); done < step; done++) {
            tokens += batches(done).stream().flatMap(List::stream).mapToLong(EncodedExample::tokens).sum();
        }
        return tokens;
    }
}
