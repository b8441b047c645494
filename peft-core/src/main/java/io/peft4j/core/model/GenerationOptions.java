package io.peft4j.core.model;

import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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
@With
public record GenerationOptions(@Option(range = "[1,)") int maxNewTokens, Sampling sampling,
        @Option(range = "[1,)") int answers, @Option(range = "[1,)") int batchSize, List<String> stopStrings,
        Optional<TextConstraint> constraint, @Option(range = "[0,32]", zero = "none") int promptLookup,
        @Option(range = "[0,20]") OptionalInt logProbabilities, Beams beams, GenerationListener listener)
        implements
            GenerationOptionsWith {
    /** Checks the ranges. */
    public GenerationOptions {
        GenerationOptionsWith.check(maxNewTokens, sampling, answers, batchSize, stopStrings, constraint, promptLookup,
                logProbabilities, beams, listener);
        stopStrings = List.copyOf(stopStrings);
        Sampling.require(stopStrings.stream().noneMatch(String::isEmpty), "a stop string", "empty", "a text");
    }

    /** Greedy, 64 new tokens. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(64, Sampling.greedy(), 1, 32, List.of(), Optional.empty(), 0, OptionalInt.empty(),
                Beams.NONE, GenerationListener.NONE);
    }

    /** The same with draws at the given temperature (0: greedy) and seed. */
    public GenerationOptions withSampling(double temperature, int topK, double topP, long seed) {
        return withSampling(sampling.withTemperature(temperature).withTopK(topK).withTopP(topP).withSeed(seed));
    }
}
