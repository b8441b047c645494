package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Beams;
import io.peft4j.core.model.GenerationListener;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import java.io.Serializable;
import java.util.ArrayList;

/**
 * How answers are generated, in the form that travels to executors.
 *
 * @param batchSize how many answers of a task grow at once
 */
record AnswerSettings(int maxNewTokens, Sampling sampling, int batchSize, ArrayList<String> stopStrings,
        int promptLookup, Beams beams) implements Serializable {
    /**
     * The settings of options.
     *
     * @throws ConfigurationException when they ask for what a column cannot hold, or what cannot travel
     */
    public static AnswerSettings of(GenerationOptions options) {
        refuse(options.answers() != 1, "more than one answer to a row; repeat the rows instead");
        refuse(options.logProbabilities().isPresent(), "log-probabilities; use score");
        refuse(options.constraint().isPresent(), "a constraint");
        refuse(options.listener() != GenerationListener.NONE, "a listener");
        return new AnswerSettings(options.maxNewTokens(), options.sampling(), options.batchSize(),
                new ArrayList<>(options.stopStrings()), options.promptLookup(), options.beams());
    }

    private static void refuse(boolean wanted, String what) {
        if (wanted) {
            throw new ConfigurationException("answers to the rows of a DataFrame cannot have " + what);
        }
    }

    /** The options for rows, of which the first one has this place; what is drawn depends on places alone. */
    GenerationOptions from(long place) {
        return GenerationOptions.defaults().withMaxNewTokens(maxNewTokens)
                .withSampling(sampling.withSeed(sampling.seed() + place)).withBatchSize(batchSize)
                .withStopStrings(stopStrings).withPromptLookup(promptLookup).withBeams(beams);
    }
}
