package io.peft4j.core.model;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How answers are generated.
 *
 * @param maxNewTokens at most this many new tokens an answer; default 64
 * @param sampling how a token is chosen; default greedy
 * @param answers answers to each prompt, which stand next to each other in the result; default 1
 * @param batchSize at most this many answers at once; default 32
 * @param stopStrings texts that end an answer besides the model's stop tokens; the text is cut before them
 * @param constraint what the text of an answer may be: tokens that lead to no valid text are never chosen
 * @param promptLookup speculative decoding by prompt lookup: so many tokens that followed the last ones where they
 *     stood before, in prompt or answer, are tried at once in each step. Changes no answer, but for rounding; pays
 *     where answers repeat much of their prompt. 0 (the default) tries none
 * @param logProbabilities with how many of the most likely tokens the probability of each token is told; empty, the
 *     default, means that it is not
 * @param beams beam search, for encoder-decoders; default none
 * @param listener told of each piece of text and asked whether to go on
 */
public record GenerationOptions(int maxNewTokens, Sampling sampling, int answers, int batchSize,
        List<String> stopStrings, Optional<TextConstraint> constraint, int promptLookup, OptionalInt logProbabilities,
        Beams beams, GenerationListener listener) {
    private static final int MOST_LIKELY = 20;
    private static final int LONGEST_LOOKUP = 32;

    /** Checks the ranges. */
    public GenerationOptions {
        Objects.requireNonNull(sampling, "sampling");
        Objects.requireNonNull(constraint, "constraint");
        Objects.requireNonNull(beams, "beams");
        Objects.requireNonNull(listener, "listener");
        stopStrings = List.copyOf(stopStrings);
        Sampling.require(maxNewTokens > 0, "maxNewTokens", maxNewTokens, "at least 1");
        Sampling.require(answers > 0, "answers", answers, "at least 1");
        Sampling.require(batchSize > 0, "batchSize", batchSize, "at least 1");
        Sampling.require(promptLookup >= 0 && promptLookup <= LONGEST_LOOKUP, "promptLookup", promptLookup,
                "from 0 (none) to " + LONGEST_LOOKUP);
        int most = logProbabilities.orElse(0);
        Sampling.require(most >= 0 && most <= MOST_LIKELY, "logProbabilities", most, "from 0 to " + MOST_LIKELY);
        Sampling.require(stopStrings.stream().noneMatch(String::isEmpty), "a stop string", "empty", "a text");
    }

    /** Greedy, 64 new tokens. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(64, Sampling.greedy(), 1, 32, List.of(), Optional.empty(), 0, OptionalInt.empty(),
                Beams.NONE, GenerationListener.NONE);
    }

    /** The same with another limit of new tokens. */
    public GenerationOptions withMaxNewTokens(int limit) {
        return new GenerationOptions(limit, sampling, answers, batchSize, stopStrings, constraint, promptLookup,
                logProbabilities, beams, listener);
    }

    /** The same with another choice of tokens. */
    public GenerationOptions withSampling(Sampling choice) {
        return new GenerationOptions(maxNewTokens, choice, answers, batchSize, stopStrings, constraint, promptLookup,
                logProbabilities, beams, listener);
    }

    /** The same with draws at the given temperature (0: greedy) and seed. */
    public GenerationOptions withSampling(double temperature, int topK, double topP, long seed) {
        return withSampling(sampling.withTemperature(temperature).withTopK(topK).withTopP(topP).withSeed(seed));
    }

    /** The same with another number of answers to each prompt. */
    public GenerationOptions withAnswers(int count) {
        return new GenerationOptions(maxNewTokens, sampling, count, batchSize, stopStrings, constraint, promptLookup,
                logProbabilities, beams, listener);
    }

    /** The same with another number of answers at once. */
    public GenerationOptions withBatchSize(int size) {
        return new GenerationOptions(maxNewTokens, sampling, answers, size, stopStrings, constraint, promptLookup,
                logProbabilities, beams, listener);
    }

    /** The same with texts that end an answer. */
    public GenerationOptions withStopStrings(List<String> texts) {
        return new GenerationOptions(maxNewTokens, sampling, answers, batchSize, texts, constraint, promptLookup,
                logProbabilities, beams, listener);
    }

    /** The same with a constraint on the text. */
    public GenerationOptions withConstraint(TextConstraint allowed) {
        return new GenerationOptions(maxNewTokens, sampling, answers, batchSize, stopStrings, Optional.of(allowed),
                promptLookup, logProbabilities, beams, listener);
    }

    /** The same with another number of tokens that are looked up and tried in each step. */
    public GenerationOptions withPromptLookup(int tokens) {
        return new GenerationOptions(maxNewTokens, sampling, answers, batchSize, stopStrings, constraint, tokens,
                logProbabilities, beams, listener);
    }

    /** The same, with the probability of each token and of so many of the most likely ones in its place. */
    public GenerationOptions withLogProbabilities(int mostLikely) {
        return new GenerationOptions(maxNewTokens, sampling, answers, batchSize, stopStrings, constraint, promptLookup,
                OptionalInt.of(mostLikely), beams, listener);
    }

    /** The same with a beam search. */
    public GenerationOptions withBeams(Beams search) {
        return new GenerationOptions(maxNewTokens, sampling, answers, batchSize, stopStrings, constraint, promptLookup,
                logProbabilities, search, listener);
    }

    /** The same with a listener. */
    public GenerationOptions withListener(GenerationListener newListener) {
        return new GenerationOptions(maxNewTokens, sampling, answers, batchSize, stopStrings, constraint, promptLookup,
                logProbabilities, beams, newListener);
    }
}
