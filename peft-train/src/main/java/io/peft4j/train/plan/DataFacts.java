package io.peft4j.train.plan;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.train.objective.EncodedExample;
import java.util.List;

/**
 * What the rules of {@link Hyperparameters} look at in training data.
 *
 * @param rows number of examples
 * @param tokens tokens of all of them
 * @param longest tokens of the longest
 * @param supervisedTokens tokens that are learned
 */
@Internal(shared = true)
public record DataFacts(long rows, long tokens, int longest, long supervisedTokens) {
    /**
     * Checks the numbers.
     *
     * @throws ConfigurationException when there is no row or no token
     */
    public DataFacts {
        if (rows < 1 || tokens < rows || longest < 1 || supervisedTokens < 0) {
            throw new ConfigurationException("hyperparameters are chosen for data with rows and tokens; got " + rows
                    + " rows with " + tokens + " tokens, the longest with " + longest);
        }
    }

    /** The facts of examples that are encoded. */
    public static DataFacts of(List<TokenSequence> examples) {
        return ofEncoded(examples.stream().map(EncodedExample::of).toList());
    }

    /** The facts of examples as an objective encodes them. */
    public static DataFacts ofEncoded(List<EncodedExample> examples) {
        return new DataFacts(examples.size(), examples.stream().mapToLong(EncodedExample::tokens).sum(),
                (int) examples.stream().mapToLong(EncodedExample::tokens).max().orElse(0),
                examples.stream().mapToLong(EncodedExample::supervised).sum());
    }

    /**
     * The facts of conversations, as a model's tokenizer and chat template write them; those that are too long for the
     * model do not count.
     *
     * @throws io.peft4j.core.error.PeftException when an example cannot be encoded
     */
    public static DataFacts of(ChatDataset chats, LanguageModel model) {
        return of(ChatEncoder.of(model).encode(chats, model.network().description().maxPositions()).sequences());
    }

    /** Tokens of a row, the mean. */
    public double meanTokens() {
        return (double) tokens / rows;
    }
}
