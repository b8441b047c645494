package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data set as token ids.
 *
 * @param sequences the encoded examples, in their order
 * @param kept the examples that they come from
 * @param tooLong the examples that were left out because they are too long
 */
@Internal(shared = true)
public record EncodedChats(List<TokenSequence> sequences, List<ChatExample> kept, List<TooLong> tooLong) {
    private static final Logger LOG = LoggerFactory.getLogger(EncodedChats.class);
    private static final int LISTED = 10;

    /**
     * An example that was left out.
     *
     * @param example the example
     * @param tokens its length in tokens, or what it has at least where it is too long to encode
     */
    public record TooLong(ChatExample example, int tokens) {
    }

    /** Copies the lists. */
    public EncodedChats {
        sequences = List.copyOf(sequences);
        kept = List.copyOf(kept);
        tooLong = List.copyOf(tooLong);
    }

    static EncodedChats of(List<ChatExample> examples, ChatEncoder encoder, int maxLength) {
        List<TokenSequence> sequences = new ArrayList<>();
        List<ChatExample> kept = new ArrayList<>();
        List<TooLong> tooLong = new ArrayList<>();
        for (ChatExample example : examples) {
            int beyond = encoder.beyond(example, maxLength);
            if (beyond > 0) {
                tooLong.add(new TooLong(example, beyond));
                continue;
            }
            TokenSequence sequence = encoder.encode(example);
            if (sequence.length() > maxLength) {
                tooLong.add(new TooLong(example, sequence.length()));
            } else {
                sequences.add(sequence);
                kept.add(example);
            }
        }
        if (!tooLong.isEmpty()) {
            LOG.warn("{} of {} examples are longer than {} tokens and are skipped: {}", tooLong.size(),
                    examples.size(), maxLength, tooLong.stream().limit(LISTED)
                            .map(t -> t.example().origin() + " (" + t.tokens() + " tokens)").toList());
        }
        return new EncodedChats(sequences, kept, tooLong);
    }

    /** The number of supervised tokens. */
    public long supervisedTokens() {
        return sequences.stream().mapToLong(TokenSequence::supervisedTokens).sum();
    }

    @Override
    public String toString() {
        return sequences.size() + " sequences with " + sequences.stream().mapToLong(TokenSequence::length).sum()
                + " tokens, " + supervisedTokens() + " of them learned; " + tooLong.size() + " examples are too long";
    }
}
