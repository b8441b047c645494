package io.peft4j.train.objective;

import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;

/** Next-token prediction: the negative log-likelihood of the supervised tokens, a weight each. */
public final class NextTokenObjective implements Objective<TokenSequence> {
    private final double labelSmoothing;

    /** Without label smoothing. */
    public NextTokenObjective() {
        this(0);
    }

    private NextTokenObjective(double labelSmoothing) {
        this.labelSmoothing = labelSmoothing;
    }

    @Override
    public NextTokenObjective withLabelSmoothing(double share) {
        return new NextTokenObjective(share);
    }

    @Override
    public String name() {
        return "sft";
    }

    @Override
    public List<EncodedExample> encode(TokenSequence example) {
        return List.of(EncodedExample.of(example));
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return passes.training(batch, pass -> pass.withLabelSmoothing(labelSmoothing).backward(normalizer));
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return passes.evaluation(EncodedExample.sequences(batch), pass ->
                Pass.weightedSum(pass.batch().targets().weights(), pass.negativeLogLikelihoods()));
    }
}
