package io.peft4j.train.plan;

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
 * @param answers how many different answers there are: fewer where rows share them
 */
public record DataFacts(long rows, long tokens, int longest, long supervisedTokens, long answers) {
    /**
     * Checks the numbers.
     *
     * @throws ConfigurationException when there is no row or no token
     */
    public DataFacts {
        if (rows < 1 || tokens < rows || longest < 1 || supervisedTokens < 0 || answers < 1 || answers > rows) {
            throw new ConfigurationException("hyperparameters are chosen for data with rows and tokens; got " + rows
                    + " rows with " + tokens + " tokens, the longest with " + longest + ", and " + answers
                    + " different answers");
        }
    }

    /** Rows of which each has another answer. */
    public DataFacts(long rows, long tokens, int longest, long supervisedTokens) {
        this(rows, tokens, longest, supervisedTokens, rows);
    }

    /** The facts of examples that are encoded. */
    public static DataFacts of(List<TokenSequence> examples) {
        return ofEncoded(examples.stream().map(EncodedExample::of).toList());
    }

    /** The facts of examples as an objective encodes them. */
    public static DataFacts ofEncoded(List<EncodedExample> examples) {
        return new DataFacts(examples.size(), examples.stream().mapToLong(EncodedExample::tokens).sum(),
                (int) examples.stream().mapToLong(EncodedExample::tokens).max().orElse(0),
                examples.stream().mapToLong(EncodedExample::supervised).sum(),
                examples.stream().mapToLong(DataFacts::answer).distinct().count());
    }

    /** A number for what is learned of an example: the same for the same, and practically another for another. */
    private static long answer(EncodedExample example) {
        long hash = 0;
        boolean any = false;
        for (TokenSequence sequence : example.sequences()) {
            for (int i = 1; i < sequence.length(); i++) {
                if (sequence.weights()[i] > 0) {
                    hash = mixed(hash, sequence.ids()[i]);
                    any = true;
                }
            }
        }
        for (float target : example.targets()) {
            hash = mixed(hash, Float.floatToIntBits(target));
            any = true;
        }
        // Where nothing is supervised, the example as a whole is learned.
        return any ? hash : System.identityHashCode(example);
    }

    private static long mixed(long hash, int value) {
        long next = (hash ^ value) * 0x9E3779B97F4A7C15L;
        return next ^ next >>> 32;
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
