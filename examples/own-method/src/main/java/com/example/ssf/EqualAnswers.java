package com.example.ssf;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.NextTokenObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.Passes;
import java.util.List;

/** An objective in which each answer counts the same, however long it is. */
public final class EqualAnswers implements Objective<ChatExample> {
    private final ChatEncoder encoder;
    private final NextTokenObjective tokens = new NextTokenObjective();

    /** For a model. */
    public EqualAnswers(LanguageModel model) {
        encoder = ChatEncoder.of(model);
    }

    @Override
    public String name() {
        return "equal-answers";
    }

    @Override
    public List<EncodedExample> encode(ChatExample example) {
        TokenSequence sequence = encoder.encode(example);
        float[] weights = sequence.weights().clone();
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= Math.max(1, sequence.supervisedTokens());
        }
        return List.of(EncodedExample.of(new TokenSequence(sequence.ids(), weights)));
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return tokens.backward(passes, batch, normalizer);
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return tokens.loss(passes, batch);
    }
}
