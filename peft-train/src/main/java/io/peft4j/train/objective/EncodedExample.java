package io.peft4j.train.objective;

import io.peft4j.core.nn.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * An example as it is trained on.
 *
 * @param sequences what runs through the network; one, or several that belong together
 * @param targets what is right, as the objective reads it; none where the sequences say it
 * @param weight its share of the loss: losses are divided by the sum of weights of an update
 * @param supervised the number of values that are learned; an example without any is left out
 * @param part of a {@link MixedObjective} the objective that learns it, from 0
 * @param row the number of the row that it was made of, from 1; 0 of one beside what is to be learned, so
 *     that the model forgets less
 * @param name what it is called in messages: the place of its row, in a training its number before that; may be empty
 */
public record EncodedExample(List<TokenSequence> sequences, float[] targets, double weight, long supervised,
        int part, long row, String name) {
    /** Copies the list. */
    public EncodedExample {
        sequences = List.copyOf(sequences);
        Objects.requireNonNull(targets, "targets");
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("an example needs a sequence");
        }
    }

    /** An example of the only objective, of the first row. */
    public EncodedExample(List<TokenSequence> sequences, float[] targets, double weight, long supervised) {
        this(sequences, targets, weight, supervised, 0, 1, "");
    }

    /** A sequence whose supervised tokens are predicted; its weight is the sum of theirs. */
    public static EncodedExample of(TokenSequence sequence) {
        double weight = 0;
        for (int i = 1; i < sequence.length(); i++) {
            weight += sequence.weights()[i];
        }
        return new EncodedExample(List.of(sequence), new float[0], weight, sequence.supervisedTokens());
    }

    /** A sequence with what is right for it. */
    public static EncodedExample of(TokenSequence sequence, double weight, float... targets) {
        return new EncodedExample(List.of(sequence), targets, weight, 1);
    }

    /** The number of tokens. */
    public long tokens() {
        return sequences.stream().mapToLong(TokenSequence::length).sum();
    }

    /** The sequence, or all of them as one, of which the batches are made up. */
    public TokenSequence whole() {
        return sequences.size() == 1 ? sequences.get(0) : TokenSequence.unsupervised(
                sequences.stream().flatMapToInt(sequence -> IntStream.of(sequence.ids())).toArray());
    }

    /** The same with more behind its targets. */
    public EncodedExample withMoreTargets(float... more) {
        float[] all = Arrays.copyOf(targets, targets.length + more.length);
        System.arraycopy(more, 0, all, targets.length, more.length);
        return new EncodedExample(sequences, all, weight, supervised, part, row, name);
    }

    /** The same for another objective of several. */
    public EncodedExample ofPart(int number) {
        return new EncodedExample(sequences, targets, weight, supervised, number, row, name);
    }

    /** The same of another row. */
    public EncodedExample ofRow(long number) {
        return new EncodedExample(sequences, targets, weight, supervised, part, number, name);
    }

    /** The same under another name. */
    public EncodedExample named(String other) {
        return new EncodedExample(sequences, targets, weight, supervised, part, row, other);
    }

    /** The sequences of examples, in their order. */
    public static List<TokenSequence> sequences(List<EncodedExample> examples) {
        return examples.stream().flatMap(example -> example.sequences().stream()).toList();
    }

    /** The sum of the weights of examples. */
    public static double weight(List<EncodedExample> examples) {
        return examples.stream().mapToDouble(EncodedExample::weight).sum();
    }

    @Override
    public String toString() {
        return sequences.size() == 1 ? sequences.get(0).toString() : sequences.size() + " sequences with " + tokens()
                + " tokens";
    }
}
