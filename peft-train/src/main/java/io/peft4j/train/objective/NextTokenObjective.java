package io.peft4j.train.objective;

import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;

/** Next-token prediction: the negative log-likelihood of the supervised tokens, a weight each. */
public final class NextTokenObjective implements Objective<TokenSequence> {
    @Override
    public String name() {
        return "sft";
    }

    @Override
    public List<EncodedExample> encode(TokenSequence example) {
        return List.of(EncodedExample.of(example));
    }

    @Override
    public double backward(Pass pass, List<EncodedExample> batch, double normalizer) {
        return pass.backward(normalizer);
    }

    @Override
    public double loss(Pass pass, List<EncodedExample> batch) {
        return Pass.weightedSum(pass.batch().targets().weights(), pass.negativeLogLikelihoods());
    }
}
