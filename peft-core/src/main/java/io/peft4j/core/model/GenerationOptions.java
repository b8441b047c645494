package io.peft4j.core.model;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * How answers are generated.
 *
 * @param maxNewTokens the most new tokens of an answer, at least 1; default 64
 * @param sampling how a token is chosen; default greedy
 * @param answers answers to each prompt, which stand next to each other in the result; default 1
 * @param batchSize the most answers that are decoded at once, at least 1; default 32
 * @param stopStrings texts that end an answer besides the model's stop tokens; the text is cut before them. Default
 *     none
 * @param constraint what the text of an answer may be: tokens that lead to no valid text are never chosen. Default none
 * @param promptLookup speculative decoding by prompt lookup: number of tokens, 0 to 32, that are tried at once in each
 *     step: those that followed the last ones where they stood before, in prompt or answer. Changes no answer, but for
 *     rounding; pays where answers repeat much of their prompt. Default 0: none
 * @param logProbabilities number of most likely tokens, 0 to 20, whose probabilities come with that of each token;
 *     default empty: no probabilities
 * @param beams beam search, for encoder-decoders; default none
 * @param listener is given each piece of text, and says whether to go on; default none
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

    /** All components, of which one is changed. */
    private final class Components {
        private int maxNewTokens = GenerationOptions.this.maxNewTokens;
        private Sampling sampling = GenerationOptions.this.sampling;
        private int answers = GenerationOptions.this.answers;
        private int batchSize = GenerationOptions.this.batchSize;
        private List<String> stopStrings = GenerationOptions.this.stopStrings;
        private Optional<TextConstraint> constraint = GenerationOptions.this.constraint;
        private int promptLookup = GenerationOptions.this.promptLookup;
        private OptionalInt logProbabilities = GenerationOptions.this.logProbabilities;
        private Beams beams = GenerationOptions.this.beams;
        private GenerationListener listener = GenerationOptions.this.listener;
    }

    private GenerationOptions with(Consumer<Components> change) {
        Components all = new Components();
        change.accept(all);
        return new GenerationOptions(all.maxNewTokens, all.sampling, all.answers, all.batchSize, all.stopStrings,
                all.constraint, all.promptLookup, all.logProbabilities, all.beams, all.listener);
    }

    /** The same with another limit of new tokens. */
    public GenerationOptions withMaxNewTokens(int limit) {
        return with(all -> all.maxNewTokens = limit);
    }

    /** The same with another choice of tokens. */
    public GenerationOptions withSampling(Sampling choice) {
        return with(all -> all.sampling = choice);
    }

    /** The same with draws at the given temperature (0: greedy) and seed. */
    public GenerationOptions withSampling(double temperature, int topK, double topP, long seed) {
        return withSampling(sampling.withTemperature(temperature).withTopK(topK).withTopP(topP).withSeed(seed));
    }

    /** The same with another number of answers to each prompt. */
    public GenerationOptions withAnswers(int count) {
        return with(all -> all.answers = count);
    }

    /** The same with another number of answers at once. */
    public GenerationOptions withBatchSize(int size) {
        return with(all -> all.batchSize = size);
    }

    /** The same with texts that end an answer. */
    public GenerationOptions withStopStrings(List<String> texts) {
        return with(all -> all.stopStrings = texts);
    }

    /** The same with a constraint on the text. */
    public GenerationOptions withConstraint(TextConstraint allowed) {
        return with(all -> all.constraint = Optional.of(allowed));
    }

    /** The same with another number of tokens that are looked up and tried in each step. */
    public GenerationOptions withPromptLookup(int tokens) {
        return with(all -> all.promptLookup = tokens);
    }

    /** The same, with the probability of each token and of this many of the most likely ones in its place. */
    public GenerationOptions withLogProbabilities(int mostLikely) {
        return with(all -> all.logProbabilities = OptionalInt.of(mostLikely));
    }

    /** The same with a beam search. */
    public GenerationOptions withBeams(Beams search) {
        return with(all -> all.beams = search);
    }

    /** The same with a listener. */
    public GenerationOptions withListener(GenerationListener newListener) {
        return with(all -> all.listener = newListener);
    }
}
