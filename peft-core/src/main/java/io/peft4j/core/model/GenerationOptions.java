package io.peft4j.core.model;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Objects;

/**
 * How tokens are chosen.
 *
 * @param maxNewTokens at most this many new tokens a prompt; default 64
 * @param temperature 0 (the default) takes the most likely token; otherwise logits are divided by it and a token is
 * drawn
 * @param topK draw among the k most likely tokens only; 0 (the default) means all
 * @param topP draw among the most likely tokens whose probabilities sum to p; 1 (the default) means all
 * @param seed seed of the draws; default 0
 * @param batchSize at most this many prompts at once; default 32
 * @param stopStrings texts that end an answer besides the model's stop tokens; the text is cut before them
 * @param listener told of each piece of text and asked whether to go on
 */
public record GenerationOptions(int maxNewTokens, double temperature, int topK, double topP, long seed, int batchSize,
        List<String> stopStrings, GenerationListener listener) {
    /** Checks the ranges. */
    public GenerationOptions {
        stopStrings = List.copyOf(stopStrings);
        Objects.requireNonNull(listener, "listener");
        require(maxNewTokens > 0, "maxNewTokens", maxNewTokens, "at least 1");
        require(temperature >= 0 && Double.isFinite(temperature), "temperature", temperature, "0 or more");
        require(topK >= 0, "topK", topK, "0 (all tokens) or more");
        require(topP > 0 && topP <= 1, "topP", topP, "above 0 and at most 1");
        require(batchSize > 0, "batchSize", batchSize, "at least 1");
    }

    private static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException(name + " is " + value + "; it must be " + allowed);
        }
    }

    /** Greedy, 64 new tokens. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(64, 0, 0, 1, 0, 32, List.of(), GenerationListener.NONE);
    }

    /** The same with another limit of new tokens. */
    public GenerationOptions withMaxNewTokens(int limit) {
        return new GenerationOptions(limit, temperature, topK, topP, seed, batchSize, stopStrings, listener);
    }

    /** The same with draws at the given temperature (0: greedy) and seed. */
    public GenerationOptions withSampling(double newTemperature, int newTopK, double newTopP, long newSeed) {
        return new GenerationOptions(maxNewTokens, newTemperature, newTopK, newTopP, newSeed, batchSize, stopStrings,
                listener);
    }

    /** The same with another number of prompts at once. */
    public GenerationOptions withBatchSize(int size) {
        return new GenerationOptions(maxNewTokens, temperature, topK, topP, seed, size, stopStrings, listener);
    }

    /** The same with texts that end an answer. */
    public GenerationOptions withStopStrings(List<String> texts) {
        return new GenerationOptions(maxNewTokens, temperature, topK, topP, seed, batchSize, texts, listener);
    }

    /** The same with a listener. */
    public GenerationOptions withListener(GenerationListener newListener) {
        return new GenerationOptions(maxNewTokens, temperature, topK, topP, seed, batchSize, stopStrings, newListener);
    }
}
