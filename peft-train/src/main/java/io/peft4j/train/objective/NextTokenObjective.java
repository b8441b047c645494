package io.peft4j.train.objective;

import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Next-token prediction: the negative log-likelihood of the supervised tokens, a weight each, of the sequences that a
 * kind of example is encoded as.
 *
 * @param <E> an example as a user has it
 */
public abstract class NextTokenObjective<E> implements Objective<E> {
    /** What it measures: the share of supervised tokens, by weight, to which the model gave the highest probability. */
    public static final String TOKEN_ACCURACY = "mean_token_accuracy";

    private final double labelSmoothing;

    NextTokenObjective(double labelSmoothing) {
        this.labelSmoothing = labelSmoothing;
    }

    /** Of sequences that are encoded already. */
    public static NextTokenObjective<TokenSequence> ofSequences() {
        return new Sequences(0);
    }

    private static final class Sequences extends NextTokenObjective<TokenSequence> {
        Sequences(double labelSmoothing) {
            super(labelSmoothing);
        }

        @Override
        public Objective<TokenSequence> withLabelSmoothing(double share) {
            return new Sequences(share);
        }

        @Override
        public List<EncodedExample> encode(TokenSequence example) {
            return List.of(EncodedExample.of(example));
        }
    }

    @Override
    public String name() {
        return "sft";
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return passes.training(batch, pass -> {
            double[] same = DoubleStream.generate(() -> normalizer).limit(batch.size()).toArray();
            double[] sums = pass.withLabelSmoothing(labelSmoothing).backwardBySequence(same);
            double[] missed = measure(passes, pass, batch.size());
            for (int i = 0; i < sums.length; i++) {
                passes.visited(batch.get(i), missed[i] == 0, sums[i] / batch.get(i).weight());
            }
            return DoubleStream.of(sums).sum();
        });
    }

    @Override
    public double learnedShare() {
        return 0.8;
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return passes.evaluation(EncodedExample.sequences(batch), pass -> {
            double loss = pass.batch().targets().weightedSum(pass.negativeLogLikelihoods());
            measure(passes, pass, batch.size());
            return loss;
        });
    }

    /** @return the weight of the tokens of each example that were not predicted right */
    private static double[] measure(Passes passes, Pass pass, int count) {
        double weight = 0;
        for (float each : pass.batch().targets().weights()) {
            weight += each;
        }
        double[] missed = pass.batch().targets().missed(pass.hits(), count);
        passes.measure(TOKEN_ACCURACY, weight - DoubleStream.of(missed).sum(), weight);
        return missed;
    }

    @Override
    public String toString() {
        return "objective " + name();
    }
}
