package io.peft4j.train;

import io.peft4j.core.nn.TokenSequence;
import java.util.Arrays;
import java.util.List;

/**
 * Which examples an update sees: they depend on its number and the seed alone. Updates count from 0. The last update of
 * an epoch takes what is left.
 */
final class Sampler {
    private final TrainingSet examples;
    private final TrainingOptions options;
    private final int perStep;
    private int[] order = new int[0];
    private int epoch = -1;

    Sampler(TrainingSet examples, TrainingOptions options) {
        this.examples = examples;
        this.options = options;
        long wanted = (long) options.batchSize() * options.gradientAccumulation();
        this.perStep = (int) Math.min(wanted, examples.sequences().size());
    }

    /** Updates an epoch. */
    int stepsPerEpoch() {
        return (examples.sequences().size() + perStep - 1) / perStep;
    }

    /** Updates in all. */
    long totalSteps() {
        return (long) stepsPerEpoch() * options.epochs();
    }

    /** The examples of an update. */
    List<TokenSequence> examples(long step) {
        int from = (int) (step % stepsPerEpoch()) * perStep;
        int[] all = order((int) (step / stepsPerEpoch()));
        return Arrays.stream(all, from, Math.min(all.length, from + perStep)).mapToObj(examples.sequences()::get)
                .toList();
    }

    private int[] order(int wanted) {
        if (wanted != epoch) {
            order = EpochOrder.of(examples.sequences().size(), options.seed(), wanted, options.shuffle());
            epoch = wanted;
        }
        return order;
    }

    /** Epochs that so many updates make up. */
    double epochs(long steps) {
        long inEpoch = steps % stepsPerEpoch();
        return steps / stepsPerEpoch() + (double) (inEpoch * perStep) / examples.sequences().size();
    }

    /** Tokens of all updates from one on. */
    long tokensFrom(long step) {
        long tokens = examples.tokens() * (options.epochs() - step / stepsPerEpoch());
        for (long done = step - step % stepsPerEpoch(); done < step; done++) {
            tokens -= examples(done).stream().mapToLong(TokenSequence::length).sum();
        }
        return tokens;
    }
}
