package io.peft4j.core.model;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import java.io.Serializable;
import java.util.Map;

/**
 * How a token is chosen from the logits: bias and penalties first, then the most likely one or a draw after
 * temperature, top-k, top-p and min-p, in this order as Hugging Face has it.
 *
 * @param temperature 0 (the default) takes the most likely token; otherwise logits are divided by it and a token is
 *     drawn
 * @param topK draw among the k most likely tokens only; 0 (the default) means all
 * @param topP draw among the most likely tokens whose probabilities sum to p (nucleus sampling,
 *     <a href="https://arxiv.org/abs/1904.09751">1904.09751</a>); 1 (the default) means all
 * @param minP draw among the tokens with at least this share of the most likely one's probability
 *     (<a href="https://arxiv.org/abs/2407.01082">2407.01082</a>); 0 (the default) means all
 * @param repetitionPenalty logits of tokens that prompt or answer have are divided by it where they are positive, and
 *     multiplied where not (CTRL, <a href="https://arxiv.org/abs/1909.05858">1909.05858</a>); 1 (the default) changes
 *     nothing
 * @param presencePenalty taken from the logit of each token that the answer has; 0 is the default
 * @param frequencyPenalty taken from the logit of a token once for each time that the answer has it; 0 is the default
 * @param logitBias added to the logits of tokens before all else, by their ids; default none
 * @param seed seed of the draws; default 0
 */
@With
public record Sampling(@Option(range = "[0,)") double temperature,
        @Option(range = "[0,)", zero = "all tokens") int topK, @Option(range = "(0,1]") double topP,
        @Option(range = "[0,1]") double minP, @Option(range = "(0,)") double repetitionPenalty,
        @Option(range = "[-2,2]") double presencePenalty, @Option(range = "[-2,2]") double frequencyPenalty,
        Map<Integer, Double> logitBias, long seed) implements SamplingWith, Serializable {
    /** Checks the ranges. */
    public Sampling {
        SamplingWith.check(temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty,
                logitBias);
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((token, value) -> require(token >= 0 && Double.isFinite(value), "logitBias",
                token + " = " + value, "a number for the id of a token"));
    }

    static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException(name + " is " + value + "; it must be " + allowed);
        }
    }

    /** The most likely token each time. */
    public static Sampling greedy() {
        return new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(), 0);
    }

    /** Draws from all tokens. */
    public static Sampling of(double temperature, long seed) {
        return greedy().withTemperature(temperature).withSeed(seed);
    }

    /** Whether the most likely token is taken each time. */
    public boolean isGreedy() {
        return temperature == 0;
    }

    /** Whether the choice depends on the model's logits alone: they have no bias, whatever the tokens so far. */
    public boolean isWithoutPenalties() {
        return repetitionPenalty == 1 && presencePenalty == 0 && frequencyPenalty == 0 && logitBias.isEmpty();
    }

    /** The same with other penalties on tokens that the answer has. */
    public Sampling withPenalties(double presence, double frequency) {
        return new Sampling(temperature, topK, topP, minP, repetitionPenalty, presence, frequency, logitBias, seed);
    }
}
