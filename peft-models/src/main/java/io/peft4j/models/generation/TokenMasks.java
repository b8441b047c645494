package io.peft4j.models.generation;

import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.text.Tokenizer.TokenBytes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * For each state of a constraint the tokens whose bytes it allows. The vocabulary is walked in the order of its bytes,
 * so that what tokens begin with in common is tried once; what has been found is kept for the states met last. For use
 * by several threads, of which none waits for what another looks for.
 */
final class TokenMasks {
    private static final int KEPT = 512;
    /** In the place of a state: its start, where the first token of a text loses its space. */
    private static final int FIRST = -1;
    /** Tokens between two checks whether the answer is still wanted. */
    private static final int PIECE = 256;

    private final TextConstraint constraint;
    private final Table table;
    private final Map<Integer, BitSet> kept = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, BitSet> eldest) {
            return size() > KEPT;
        }
    };

    TokenMasks(TextConstraint constraint, Table table) {
        this.constraint = constraint;
        this.table = table;
    }

    TextConstraint constraint() {
        return constraint;
    }

    /**
     * The tokens, special ones that are no part of the text aside, after which the text can still become a valid one.
     *
     * @param first whether none comes before
     */
    BitSet allowed(int state, boolean first) {
        return find(state, first, () -> true).orElseThrow();
    }

    /** As {@link #allowed}, where they have been found already. */
    Optional<BitSet> known(int state, boolean first) {
        synchronized (kept) {
            return Optional.ofNullable(kept.get(key(state, first)));
        }
    }

    /** As {@link #allowed}, as long as they are wanted; empty where that ends before they are found. */
    Optional<BitSet> find(int state, boolean first, BooleanSupplier wanted) {
        Optional<BitSet> known = known(state, first);
        if (known.isPresent()) {
            return known;
        }
        Optional<BitSet> found = key(state, first) == FIRST ? walkWithoutFirstSpace(wanted) : walk(state, wanted);
        found.ifPresent(mask -> {
            synchronized (kept) {
                kept.put(key(state, first), mask);
            }
        });
        return found;
    }

    private int key(int state, boolean first) {
        return first && table.dropsFirstSpace ? FIRST : state;
    }

    /** Memory that it and its constraint take now. */
    long bytes() {
        synchronized (kept) {
            return constraint.bytes() + kept.values().stream().mapToLong(mask -> mask.size() / Byte.SIZE).sum();
        }
    }

    private Optional<BitSet> walkWithoutFirstSpace(BooleanSupplier wanted) {
        BitSet allowed = new BitSet();
        for (int i = 0; i < table.ids.length; i++) {
            if (i % PIECE == 0 && !wanted.getAsBoolean()) {
                return Optional.empty();
            }
            byte[] bytes = withoutFirstSpace(table.bytes.get(i));
            if (bytes.length > 0 && run(constraint.start(), bytes) != TextConstraint.NONE) {
                allowed.set(table.ids[i]);
            }
        }
        return Optional.of(allowed);
    }

    int after(int state, int token, boolean first) {
        byte[] bytes = table.bytes(token);
        return run(state, first && table.dropsFirstSpace ? withoutFirstSpace(bytes) : bytes);
    }

    private static byte[] withoutFirstSpace(byte[] bytes) {
        return bytes.length > 0 && bytes[0] == ' ' ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    private int run(int state, byte... bytes) {
        int at = state;
        for (int i = 0; i < bytes.length && at != TextConstraint.NONE; i++) {
            at = constraint.step(at, bytes[i] & 0xFF);
        }
        return at;
    }

    private Optional<BitSet> walk(int state, BooleanSupplier wanted) {
        BitSet allowed = new BitSet();
        int[] states = new int[table.longest + 1];
        states[0] = state;
        // Bytes of the token before for which there are states; the next one is not allowed.
        int reached = 0;
        for (int i = 0; i < table.ids.length; i++) {
            if (i % PIECE == 0 && !wanted.getAsBoolean()) {
                return Optional.empty();
            }
            byte[] bytes = table.bytes.get(i);
            int at = table.common[i];
            if (at > reached) {
                continue;
            }
            while (at < bytes.length) {
                int next = constraint.step(states[at], bytes[at] & 0xFF);
                if (next == TextConstraint.NONE) {
                    break;
                }
                states[++at] = next;
            }
            reached = at;
            if (at == bytes.length) {
                allowed.set(table.ids[i]);
            }
        }
        return Optional.of(allowed);
    }

    /** The tokens of a vocabulary that add bytes to a text, in the order of these bytes. */
    static final class Table {
        private final TokenBytes of;
        /** Special tokens that are part of the text. */
        private final Map<Integer, byte[]> marks;
        private final boolean dropsFirstSpace;
        private final int[] ids;
        private final List<byte[]> bytes;
        /** Of each token, how many bytes it begins with as the one before it does. */
        private final int[] common;
        private final int longest;

        /** @param marks special tokens that are part of the text */
        Table(Tokenizer tokenizer, Set<Integer> marks) {
            of = tokenizer.tokenBytes();
            this.marks = marks.stream().collect(Collectors.toMap(id -> id,
                    id -> tokenizer.decode(new int[] {id}, false).getBytes(StandardCharsets.UTF_8)));
            dropsFirstSpace = of.dropsFirstSpace();
            record Token(int id, byte[] bytes) {
            }
            List<Token> tokens = IntStream.range(0, tokenizer.vocabSize())
                    .filter(id -> marks.contains(id) || !tokenizer.isSpecial(id))
                    .mapToObj(id -> new Token(id, bytes(id))).filter(token -> token.bytes.length > 0)
                    .sorted(Comparator.comparing(Token::bytes, Arrays::compareUnsigned)).toList();
            ids = tokens.stream().mapToInt(Token::id).toArray();
            bytes = tokens.stream().map(Token::bytes).toList();
            common = new int[ids.length];
            for (int i = 1; i < ids.length; i++) {
                int difference = Arrays.mismatch(bytes.get(i - 1), bytes.get(i));
                common[i] = difference < 0 ? bytes.get(i).length : difference;
            }
            longest = bytes.stream().mapToInt(b -> b.length).max().orElse(0);
        }

        private byte[] bytes(int id) {
            byte[] mark = marks.get(id);
            return mark != null ? mark : of.of(id);
        }
    }
}
