package io.peft4j.models.tokenizer.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;

/**
 * Checks the table of a {@code Precompiled} normalizer: the number of bytes of a trie, the trie as a double array of
 * 32-bit units, and the texts that replace what it finds, each ended by a zero. Hugging Face's library follows the
 * trie without looking where it leads.
 */
final class CharsMap {
    private static final int LONGEST_REPLACEMENT = 100;

    private final int[] units;
    private final byte[] texts;

    private CharsMap(ByteBuffer bytes) {
        long size = bytes.remaining() < Integer.BYTES ? 0 : Integer.toUnsignedLong(bytes.getInt());
        if (size < Integer.BYTES || size / Integer.BYTES * Integer.BYTES > bytes.remaining()) {
            throw new IllegalArgumentException("has a trie of " + size + " bytes with " + bytes.remaining()
                    + " bytes behind its head");
        }
        units = new int[(int) (size / Integer.BYTES)];
        for (int i = 0; i < units.length; i++) {
            units[i] = bytes.getInt();
        }
        texts = new byte[bytes.remaining()];
        bytes.get(texts);
    }

    /**
     * Checks a table.
     *
     * @param base64 the table as {@code tokenizer.json} has it
     * @throws IllegalArgumentException with what is wrong
     */
    static void check(String base64) {
        byte[] bytes = Base64.getDecoder().decode(base64);
        CharsMap map = new CharsMap(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(map.texts));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("has replacements that are not UTF-8", e);
        }
        map.walk();
    }

    /** Follows every path that a text can take. */
    private void walk() {
        BitSet seen = new BitSet();
        Deque<Integer> open = new ArrayDeque<>();
        open.push(checked(offset(units[0])));
        while (!open.isEmpty()) {
            int base = open.pop();
            for (int label = 1; label <= 0xFF && !seen.get(base); label++) {
                int unit = units[base ^ label];
                if ((unit & 0x800000FF) == label) {
                    int next = checked(base ^ label ^ offset(unit));
                    if ((unit >> 8 & 1) == 1) {
                        checkText(units[next] & Integer.MAX_VALUE);
                    }
                    open.push(next);
                }
            }
            seen.set(base);
        }
    }

    private static long offset(int unit) {
        return Integer.toUnsignedLong(unit) >> 10 << ((unit & 1 << 9) >> 6);
    }

    /** A place from which each of 256 labels leads to a unit. */
    private int checked(long base) {
        if ((base | 0xFF) >= units.length) {
            throw new IllegalArgumentException("has a trie that leads out of itself");
        }
        return (int) base;
    }

    private void checkText(int begin) {
        if (begin > texts.length || begin < texts.length && (texts[begin] & 0xC0) == 0x80) {
            throw new IllegalArgumentException("has a replacement that begins at byte " + begin + " of "
                    + texts.length + " bytes of replacements");
        }
        int end = begin;
        while (end < texts.length && texts[end] != 0) {
            end++;
        }
        if (end - begin > LONGEST_REPLACEMENT) {
            throw new IllegalArgumentException("replaces a character by " + (end - begin) + " bytes; up to "
                    + LONGEST_REPLACEMENT + " are read");
        }
    }
}
