package io.peft4j.train.objective;

import io.peft4j.core.nn.PackedBatch;
import java.util.function.IntPredicate;

/** The log-probabilities of the answers of a batch, and the gradients of a loss of them. */
final class AnswerLikelihoods {
    private final int[] sequences;
    private final IntPredicate counted;
    private final float[] gradient;
    private final double[] sums;
    private final int[] tokens;

    /**
     * The answers of a batch.
     *
     * @param targets the predicted tokens
     * @param counted whether a target belongs to an answer
     * @param nll the negative log-likelihood of each target
     * @param gradient takes the derivative of the loss by each of them
     */
    AnswerLikelihoods(PackedBatch.Targets targets, IntPredicate counted, float[] nll, float[] gradient) {
        this.sequences = targets.sequences();
        this.counted = counted;
        this.gradient = gradient;
        int count = sequences.length == 0 ? 0 : sequences[sequences.length - 1] + 1;
        this.sums = new double[count];
        this.tokens = new int[count];
        for (int i = 0; i < nll.length; i++) {
            if (counted.test(i)) {
                sums[sequences[i]] -= nll[i];
                tokens[sequences[i]]++;
            }
        }
    }

    /** The sum over the tokens of a sequence's answer; in f32, as a reference is kept. */
    float logProbability(int sequence) {
        return (float) sums[sequence];
    }

    /** The mean over the tokens of a sequence's answer. */
    double meanLogProbability(int sequence) {
        return sums[sequence] / tokens[sequence];
    }

    /** The number of tokens of a sequence's answer. */
    int tokens(int sequence) {
        return tokens[sequence];
    }

    /** Adds the derivative of the loss by the log-probability of a sequence's answer. */
    void addDerivative(int sequence, double derivative) {
        for (int i = 0; i < sequences.length; i++) {
            if (sequences[i] == sequence && counted.test(i)) {
                gradient[i] -= (float) derivative;
            }
        }
    }
}
