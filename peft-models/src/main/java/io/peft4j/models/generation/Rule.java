package io.peft4j.models.generation;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** What a text, or a part of one, may be, in bytes of UTF-8. Rules are told apart by identity and may be shared. */
sealed interface Rule {
    /** The rules that this one is made of. */
    List<Rule> parts();

    final class Bytes implements Rule {
        private final long[] set = new long[4];

        /** The bytes {@code from} to {@code to}. */
        Bytes(int from, int to) {
            for (int value = from; value <= to; value++) {
                set[value >> 6] |= 1L << value;
            }
        }

        Bytes(BitSet values) {
            values.stream().forEach(value -> set[value >> 6] |= 1L << value);
        }

        boolean has(int value) {
            return (set[value >> 6] >> value & 1) != 0;
        }

        boolean isEmpty() {
            return (set[0] | set[1] | set[2] | set[3]) == 0;
        }

        /** Its members as bits. */
        List<Long> members() {
            return List.of(set[0], set[1], set[2], set[3]);
        }

        @Override
        public List<Rule> parts() {
            return List.of();
        }
    }

    /** All of its parts, one behind the other. */
    final class Sequence implements Rule {
        private final List<Rule> parts;

        Sequence(List<Rule> parts) {
            this.parts = List.copyOf(parts);
        }

        @Override
        public List<Rule> parts() {
            return parts;
        }
    }

    final class Choice implements Rule {
        private final List<Rule> parts;

        Choice(List<Rule> parts) {
            this.parts = List.copyOf(parts);
        }

        @Override
        public List<Rule> parts() {
            return parts;
        }
    }

    /** A part {@code least} to {@code most} times, any number of times from {@code least} on where that is negative. */
    final class Repetition implements Rule {
        private final Rule part;
        private final boolean mayBeEmpty;
        private final int least;
        private final int most;
        private final String description;

        /** @param description what repeats, for messages */
        Repetition(Rule part, int least, int most, String description) {
            this.description = description;
            this.part = part;
            // Nothing, repeated, is nothing: so often at least as well as not at all.
            this.mayBeEmpty = nullable(part);
            this.least = mayBeEmpty ? 0 : least;
            this.most = most;
        }

        String description() {
            return description;
        }

        boolean partMayBeEmpty() {
            return mayBeEmpty;
        }

        int least() {
            return least;
        }

        boolean again(int count) {
            return most < 0 || count < most;
        }

        /** The count behind one more; without an upper bound those from the lower one on are alike. */
        int next(int count) {
            return most < 0 ? Math.min(count + 1, least) : count + 1;
        }

        @Override
        public List<Rule> parts() {
            return List.of(part);
        }
    }

    /** A rule by its name, which may contain this reference; never empty. */
    final class Reference implements Rule {
        private final String name;
        private Rule target = new Choice(List.of());

        Reference(String name) {
            this.name = name;
        }

        String name() {
            return name;
        }

        void target(Rule rule) {
            target = rule;
        }

        @Override
        public List<Rule> parts() {
            return List.of(target);
        }
    }

    /** Whether nothing at all fits. */
    private static boolean nullable(Rule rule) {
        if (rule instanceof Repetition repetition) {
            return repetition.least == 0;
        }
        return rule instanceof Sequence ? rule.parts().stream().allMatch(Rule::nullable)
                : rule instanceof Choice && rule.parts().stream().anyMatch(Rule::nullable);
    }

    /** All of these, one behind the other. */
    static Rule sequence(Rule... parts) {
        return parts.length == 1 ? parts[0] : new Sequence(List.of(parts));
    }

    static Rule choice(Rule... parts) {
        return parts.length == 1 ? parts[0] : new Choice(List.of(parts));
    }

    static Rule choice(List<Rule> parts) {
        return choice(parts.toArray(Rule[]::new));
    }

    static Rule text(String text) {
        List<Rule> bytes = new ArrayList<>();
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            bytes.add(new Bytes(value & 0xFF, value & 0xFF));
        }
        return sequence(bytes.toArray(Rule[]::new));
    }

    /** One of some characters; surrogates are none. */
    static Rule character(CodePoints codePoints) {
        BitSet ascii = new BitSet();
        List<Rule> longer = new ArrayList<>();
        codePoints.and(CodePoints.ALL).ranges().forEach(range -> encode(range[0], range[1], ascii, longer));
        if (!ascii.isEmpty() || longer.isEmpty()) {
            longer.add(0, new Bytes(ascii));
        }
        return choice(longer);
    }

    /** Adds the bytes of a range of characters, cut into pieces that are all combinations of a range for each byte. */
    private static void encode(int from, int to, BitSet ascii, List<Rule> longer) {
        for (int last : new int[] {0x7F, 0x7FF, 0xFFFF}) {
            if (from <= last && last < to) {
                encode(from, last, ascii, longer);
                encode(last + 1, to, ascii, longer);
                return;
            }
        }
        if (to < 0x80) {
            ascii.set(from, to + 1);
            return;
        }
        int bytes = to < 0x800 ? 2 : to < 0x10000 ? 3 : 4;
        for (int i = 1; i < bytes; i++) {
            int low = (1 << 6 * i) - 1;
            if ((from & ~low) != (to & ~low) && ((from & low) != 0 || (to & low) != low)) {
                int cut = (from & low) != 0 ? from | low : (to & ~low) - 1;
                encode(from, cut, ascii, longer);
                encode(cut + 1, to, ascii, longer);
                return;
            }
        }
        byte[] first = Character.toString(from).getBytes(StandardCharsets.UTF_8);
        byte[] last = Character.toString(to).getBytes(StandardCharsets.UTF_8);
        Rule[] parts = new Rule[bytes];
        Arrays.setAll(parts, i -> new Bytes(first[i] & 0xFF, last[i] & 0xFF));
        longer.add(sequence(parts));
    }
}
