package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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
    /** Examples up to which the threads would not be worth their start. */
    private static final int FEW = 64;
    /** Examples that are encoded before their errors are looked at. */
    private static final int TOGETHER = 1024;

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

    /** By as many threads as there are processors; what is thrown is what the first bad example is refused for. */
    static EncodedChats of(List<ChatExample> examples, ChatEncoder encoder, int maxLength) {
        List<TokenSequence> sequences = new ArrayList<>();
        List<ChatExample> kept = new ArrayList<>();
        List<TooLong> tooLong = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += TOGETHER) {
            List<ChatExample> some = examples.subList(from, Math.min(examples.size(), from + TOGETHER));
            Stream<ChatExample> each = some.size() < FEW ? some.stream() : some.parallelStream();
            for (Encoded encoded : each.map(example -> Encoded.of(example, encoder, maxLength)).toList()) {
                encoded.failure().ifPresent(failure -> {
                    throw failure;
                });
                encoded.sequence().ifPresentOrElse(sequence -> {
                    sequences.add(sequence);
                    kept.add(encoded.example());
                }, () -> tooLong.add(new TooLong(encoded.example(), encoded.tokens())));
            }
        }
        if (!tooLong.isEmpty()) {
            LOG.warn("{} of {} examples are longer than {} tokens and are skipped: {}", tooLong.size(),
                    examples.size(), maxLength, tooLong.stream().limit(LISTED)
                            .map(t -> t.example().origin() + " (" + t.tokens() + " tokens)").toList());
        }
        return new EncodedChats(sequences, kept, tooLong);
    }

    /** What became of an example: tokens, only their number where it is too long, or an error. */
    private record Encoded(ChatExample example, Optional<TokenSequence> sequence, int tokens,
            Optional<RuntimeException> failure) {
        static Encoded of(ChatExample example, ChatEncoder encoder, int maxLength) {
            try {
                int beyond = encoder.beyond(example, maxLength);
                Optional<TokenSequence> all = beyond > 0 ? Optional.empty() : Optional.of(encoder.encode(example));
                return new Encoded(example, all.filter(sequence -> sequence.length() <= maxLength),
                        all.map(TokenSequence::length).orElse(beyond), Optional.empty());
            } catch (RuntimeException e) {
                return new Encoded(example, Optional.empty(), 0, Optional.of(e));
            }
        }
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
