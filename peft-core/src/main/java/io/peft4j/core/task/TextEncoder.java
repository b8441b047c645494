package io.peft4j.core.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.text.Tokenizer.PairEncoding;
import io.peft4j.core.text.Tokenizer.WordEncoding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Makes sequences of texts, of two texts, of words and of questions on long texts, with the tokenizer's special tokens
 * and cut to what the model can read, id by id as transformers' tokenizer does with {@code truncation=True}. Where a
 * model reads two texts through its chat template, that is put around them.
 */
public final class TextEncoder {
    private final Tokenizer tokenizer;
    private final int limit;
    private final Optional<BinaryOperator<String>> rendered;

    /**
     * An encoder.
     *
     * @param limit the most tokens of a sequence, special ones included
     */
    public TextEncoder(Tokenizer tokenizer, int limit) {
        this(tokenizer, limit, Optional.empty());
    }

    private TextEncoder(Tokenizer tokenizer, int limit, Optional<BinaryOperator<String>> rendered) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
        this.limit = limit;
        this.rendered = rendered;
    }

    /** An encoder for a model, with the model's limit of tokens. */
    public static TextEncoder of(Model model) {
        try (ModelLease lease = model.lease()) {
            Optional<BinaryOperator<String>> rendered = Optional.of(model.network()).filter(network -> network.task()
                    .type().hasHead()).flatMap(network -> network.headed().pairPrompt())
                    .flatMap(prompt -> model.tokenizer().chatTemplate()
                            .<BinaryOperator<String>>map(form -> (query, text) -> prompt.render(form, query, text)));
            return new TextEncoder(model.tokenizer(), lease.maxPositions(), rendered);
        }
    }

    /** The most tokens of a sequence, special ones included. */
    public int limit() {
        return limit;
    }

    /** Whether {@link #text(String)} cuts it. */
    public boolean cuts(String text) {
        return tokenizer.encodeWithSpecials(text).length > limit;
    }

    /** Whether {@link #pair(String, String)} cuts them. */
    public boolean cuts(String first, String second) {
        return rendered.map(form -> tokenizer.encode(form.apply(first, second)).length)
                .orElseGet(() -> tokenizer.encodePair(first, second).ids().length) > limit;
    }

    /** Whether {@link #words(List)} cuts them. */
    public boolean cuts(List<String> words) {
        return tokenizer.encodeWords(words).ids().length > room(Frame.ofOne(tokenizer));
    }

    /** A text; what is too long is cut at its end. */
    public TokenSequence text(String text) {
        int[] ids = tokenizer.encodeWithSpecials(text);
        if (ids.length > limit) {
            Frame frame = Frame.ofOne(tokenizer);
            ids = frame.around(Arrays.copyOf(tokenizer.encode(text), room(frame)));
        }
        if (ids.length == 0) {
            throw new ConfigurationException("a text has no tokens: \"" + text + "\"");
        }
        return TokenSequence.unsupervised(ids);
    }

    /** Two texts, such as a premise and a hypothesis; what is too long is cut from the longer one. */
    public TokenSequence pair(String first, String second) {
        if (rendered.isPresent()) {
            return rendered(rendered.get(), first, second);
        }
        PairEncoding whole = tokenizer.encodePair(first, second);
        if (whole.ids().length <= limit) {
            return TokenSequence.unsupervised(whole.ids()).withTypes(whole.types());
        }
        Frame frame = Frame.ofTwo(tokenizer);
        int[] a = tokenizer.encode(first);
        int[] b = tokenizer.encode(second);
        int shorter = Math.min(a.length, b.length);
        int longer = shorter > room(frame) ? shorter : Math.max(shorter, room(frame) - shorter);
        if (shorter + longer > room(frame)) {
            shorter = room(frame) / 2;
            longer = shorter + room(frame) % 2;
        }
        return frame.sequence(Arrays.copyOf(a, Math.min(a.length, a.length > b.length ? longer : shorter)),
                Arrays.copyOf(b, Math.min(b.length, a.length > b.length ? shorter : longer)));
    }

    /** What a template makes of two texts; what is too long is cut before the template's own end. */
    private TokenSequence rendered(BinaryOperator<String> form, String first, String second) {
        int[] ids = tokenizer.encode(form.apply(first, second));
        if (ids.length > limit) {
            int[] end = Frame.commonEnd(tokenizer.encode(form.apply("0", "0")), tokenizer.encode(form.apply("1 2 3 4",
                    "1 2 3 4")));
            if (end.length >= limit) {
                throw new ConfigurationException("a limit of " + limit + " tokens leaves no room beside the "
                        + end.length + " with which the chat template ends");
            }
            ids = Frame.join(Arrays.copyOf(ids, limit - end.length), end);
        }
        return TokenSequence.unsupervised(ids);
    }

    /**
     * Words as a sequence.
     *
     * @param sequence the tokens, special ones included
     * @param firstPieces for each word the index of its first token, -1 where the word was cut off or has none
     */
    public record Words(TokenSequence sequence, int[] firstPieces) {
    }

    /** Words; those that are too many are cut off. */
    public Words words(List<String> words) {
        Frame frame = Frame.ofOne(tokenizer);
        WordEncoding encoded = tokenizer.encodeWords(words);
        int count = Math.min(encoded.ids().length, room(frame));
        int[] first = new int[words.size()];
        Arrays.fill(first, -1);
        for (int i = count - 1; i >= 0; i--) {
            first[encoded.words()[i]] = frame.before().length + i;
        }
        return new Words(TokenSequence.unsupervised(frame.around(Arrays.copyOf(encoded.ids(), count))), first);
    }

    /**
     * A part of a text with a question before it.
     *
     * @param sequence the tokens
     * @param firstToken index of the part's first token in the sequence
     * @param starts for each of the part's tokens the place in the text where it begins, in UTF-16 units
     * @param ends and where it ends
     */
    public record Window(TokenSequence sequence, int firstToken, int[] starts, int[] ends) {
    }

    /**
     * A question with a text that may be longer than the model can read: the text in windows.
     *
     * @param stride tokens that a window has in common with the next one
     * @throws ConfigurationException when the question leaves no room for more than the stride
     */
    public List<Window> windows(String question, String text, int stride) {
        Frame frame = Frame.ofTwo(tokenizer);
        int[] asked = tokenizer.encode(question);
        Encoding encoded = tokenizer.encodeWithOffsets(text);
        int room = room(frame) - asked.length;
        if (room <= stride) {
            throw new ConfigurationException("a question of " + asked.length + " tokens leaves room for " + room
                    + " tokens of its text in a sequence of " + limit + ", and a stride of " + stride
                    + " needs more; use a shorter question or a smaller stride");
        }
        List<Window> windows = new ArrayList<>();
        int end = 0;
        for (int start = 0; windows.isEmpty() || end < encoded.length(); start += room - stride) {
            end = Math.min(encoded.length(), start + room);
            windows.add(window(encoded, start, end, frame.sequence(asked, Arrays.copyOfRange(encoded.ids(), start,
                    end)), frame.before().length + asked.length + frame.between().length));
        }
        return windows;
    }

    /** A text that may be longer than the model can read, in windows one behind the other. */
    public List<Window> windows(String text) {
        Frame frame = Frame.ofOne(tokenizer);
        Encoding encoded = tokenizer.encodeWithOffsets(text);
        List<Window> windows = new ArrayList<>();
        int room = room(frame);
        for (int start = 0; start < encoded.length(); start += room) {
            int end = Math.min(encoded.length(), start + room);
            windows.add(window(encoded, start, end, TokenSequence.unsupervised(frame.around(Arrays.copyOfRange(
                    encoded.ids(), start, end))), frame.before().length));
        }
        return windows;
    }

    private static Window window(Encoding text, int start, int end, TokenSequence sequence, int firstToken) {
        return new Window(sequence, firstToken, Arrays.copyOfRange(text.start(), start, end),
                Arrays.copyOfRange(text.end(), start, end));
    }

    private int room(Frame frame) {
        int room = limit - frame.length();
        if (room < 1) {
            throw new ConfigurationException("a limit of " + limit + " tokens leaves no room beside "
                    + frame.length() + " special tokens");
        }
        return room;
    }

    /**
     * The special tokens around one text, or around and between two; those between count to the first.
     *
     * @param types {@code token_type_ids} of the two
     */
    private record Frame(int[] before, int[] between, int[] after, int[] types) {
        private static final String PROBE = "a";
        private static final String OTHER = "b";

        static Frame ofOne(Tokenizer tokenizer) {
            int[] whole = tokenizer.encodeWithSpecials(PROBE);
            int[] text = tokenizer.encode(PROBE);
            int at = find(text, whole, 0);
            return new Frame(Arrays.copyOf(whole, at), new int[0],
                    Arrays.copyOfRange(whole, at + text.length, whole.length), new int[0]);
        }

        static Frame ofTwo(Tokenizer tokenizer) {
            PairEncoding whole = tokenizer.encodePair(PROBE, OTHER);
            int[] first = tokenizer.encode(PROBE);
            int[] second = tokenizer.encode(OTHER);
            int at = find(first, whole.ids(), 0);
            int then = find(second, whole.ids(), at + first.length);
            int[] between = Arrays.copyOfRange(whole.ids(), at + first.length, then);
            int[] types = {whole.types()[at], whole.types()[then]};
            return new Frame(Arrays.copyOf(whole.ids(), at), between,
                    Arrays.copyOfRange(whole.ids(), then + second.length, whole.ids().length), types);
        }

        private static int find(int[] part, int[] whole, int from) {
            return IntStream.rangeClosed(from, whole.length - part.length)
                    .filter(i -> Arrays.equals(part, 0, part.length, whole, i, i + part.length)).findFirst()
                    .orElseThrow(() -> new ConfigurationException("this tokenizer changes a text when it adds "
                            + "special tokens, so a long text cannot be split"));
        }

        static int[] commonEnd(int[] one, int[] other) {
            int count = 0;
            while (count < Math.min(one.length, other.length) && one[one.length - 1 - count] == other[other.length - 1
                    - count]) {
                count++;
            }
            return Arrays.copyOfRange(one, one.length - count, one.length);
        }

        int length() {
            return before.length + between.length + after.length;
        }

        int[] around(int[] ids) {
            return join(before, ids, after);
        }

        TokenSequence sequence(int[] first, int[] second) {
            int[] ids = join(before, first, between, second, after);
            int[] typeOf = new int[ids.length];
            Arrays.fill(typeOf, 0, before.length + first.length + between.length, types[0]);
            Arrays.fill(typeOf, before.length + first.length + between.length, ids.length, types[1]);
            return TokenSequence.unsupervised(ids).withTypes(typeOf);
        }

        private static int[] join(int[]... parts) {
            return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
        }
    }
}
