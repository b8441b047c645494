package io.peft4j.train.objective;

import java.util.List;

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

    @Override
    public String toString() {
        return examples.size() + " examples, and " + leftOut + " left out";
    }
}
