package io.peft4j.train.objective;

import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Examples as they are trained on.
 *
 * @param examples the examples
 * @param leftOut how many others there were, of which nothing can be learned
 */
public record EncodedExamples(List<EncodedExample> examples, int leftOut) {
    /** Copies the list. */
    public EncodedExamples {
        examples = List.copyOf(examples);
    }

    /** Sequences whose supervised tokens are predicted. */
    public static EncodedExamples of(List<TokenSequence> sequences) {
        return new EncodedExamples(IntStream.range(0, sequences.size()).mapToObj(i -> EncodedExample.of(sequences
                .get(i)).ofRow(i + 1)).toList(), 0);
    }

    /** The number of tokens. */
    public long tokens() {
        return examples.stream().mapToLong(EncodedExample::tokens).sum();
    }

    /** The number of supervised tokens, or of what is learned instead. */
    public long supervised() {
        return examples.stream().mapToLong(EncodedExample::supervised).sum();
    }

    @Override
    public String toString() {
        return examples.size() + " examples, and " + leftOut + " left out";
    }
}
