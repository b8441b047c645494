package io.peft4j.train.objective;

import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Examples as they are trained on.
 *
 * @param examples the examples
 * @param leftOut how many others there were, of which nothing can be learned
 * @param origins where each stands, for messages; none where that is not known
 */
public record EncodedExamples(List<EncodedExample> examples, int leftOut, List<String> origins) {
    /** Copies the lists. */
    public EncodedExamples {
        examples = List.copyOf(examples);
        origins = List.copyOf(origins);
    }

    /** Examples of which it is not known where they stand. */
    public EncodedExamples(List<EncodedExample> examples, int leftOut) {
        this(examples, leftOut, List.of());
    }

    /** Sequences whose supervised tokens are predicted. */
    public static EncodedExamples of(List<TokenSequence> sequences) {
        return new EncodedExamples(IntStream.range(0, sequences.size()).mapToObj(i -> EncodedExample.of(sequences
                .get(i)).ofRow(i + 1)).toList(), 0);
    }

    @Override
    public String toString() {
        return examples.size() + " examples, and " + leftOut + " left out";
    }
}
