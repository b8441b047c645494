package com.example.ssf;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.NextTokenObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.ObjectiveOption;
import io.peft4j.train.objective.ObjectiveType;
import io.peft4j.train.objective.ObjectiveValues;
import io.peft4j.train.objective.Passes;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Next-token prediction in which each answer counts the same, however long it is. */
public final class EqualAnswers implements Objective<ChatExample> {
    private final ChatEncoder encoder;
    private final double power;
    private final Objective<TokenSequence> tokens = NextTokenObjective.ofSequences();

    /** An answer's tokens are divided by this power of its length; with 1, answers count the same. */
    public EqualAnswers(LanguageModel model, double power) {
        this.encoder = ChatEncoder.of(model);
        this.power = power;
    }

    @Override
    public String name() {
        return "equal-answers";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("length_power", String.valueOf(power));
    }

    @Override
    public List<EncodedExample> encode(ChatExample example) {
        TokenSequence sequence = encoder.encode(example);
        float[] weights = sequence.weights().clone();
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= (float) Math.pow(Math.max(1, sequence.supervisedTokens()), power);
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

    /** The objective by its name: {@code --objective equal-answers --length-power P}. */
    public static final class Type extends ObjectiveType<ChatExample> {
        private static final ObjectiveOption<Double> POWER = ObjectiveOption.number("length-power", "P",
                "the power of an answer's length that its tokens are divided by", 1);

        /** What is registered. */
        public Type() {
            super("equal-answers", ChatDataset.ROWS, "the answers of chats, each with the same weight", POWER);
        }

        @Override
        protected Function<LanguageModel, Objective<ChatExample>> objective(ObjectiveValues values) {
            double power = values.get(POWER);
            if (!(power >= 0)) {
                throw new ConfigurationException("length power must be 0 or more, got " + power);
            }
            return model -> new EqualAnswers(model, power);
        }
    }
}
