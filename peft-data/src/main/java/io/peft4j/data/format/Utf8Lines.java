package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The lines of a stream, each decoded separately as strict UTF-8, so that an invalid byte is reported in its own
 * line. Lines end with a line feed, with or without a carriage return before it; a byte order mark in front is skipped.
 * No line takes more than {@value #LONGEST} bytes of memory, whatever the stream holds.
 */
final class Utf8Lines {
    /** More than any model reads at once. */
    static final int LONGEST = 16 << 20;
    private static final int BUFFER = 1 << 16;
    private static final int FEWEST_ZEROS = 8;

    private final Path file;
    private final InputStream in;
    private final boolean keepReturns;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);
    private final byte[] buffer = new byte[BUFFER];
    private int position;
    private int limit;
    private byte[] bytes = new byte[BUFFER];
    private long line;
    private boolean binary;

    /** The lines of {@code in}, which holds the content of {@code file}. */
    Utf8Lines(Path file, InputStream in) {
        this(file, in, false);
    }

    /** The same; a carriage return at the end of a line stays there, if it is to be kept. */
    Utf8Lines(Path file, InputStream in, boolean keepReturns) {
        this.file = file;
        this.in = in;
        this.keepReturns = keepReturns;
    }

    /** The number of the line that was read last, from 1. */
    long line() {
        return line;
    }

    /**
     * The next line without its end; empty when there is none.
     *
     * @throws DataException when it is not UTF-8; the line after it can be read, unless the file is no text
     * @throws LongLineException when it is too long; so can it after such a one
     */
    Optional<String> next() throws IOException {
        if (binary || position == limit && !fill()) {
            return Optional.empty();
        }
        line++;
        int length = readLine();
        if (length > LONGEST) {
            throw new LongLineException("is longer than " + (LONGEST >> 20) + " MB; write one example per line");
        }
        int from = 0;
        if (line == 1) {
            from = startsWith(length, 0xEF, 0xBB, 0xBF) ? 3 : 0;
        }
        int end = !keepReturns && length > from && bytes[length - 1] == '\r' ? length - 1 : length;
        return Optional.of(decode(from, end));
    }

    /** Reads up to the line feed; keeps at most one byte more than is allowed. Returns the length kept. */
    private int readLine() throws IOException {
        int length = 0;
        while (position < limit || fill()) {
            int from = position;
            while (position < limit && buffer[position] != '\n') {
                position++;
            }
            int kept = Math.min(position - from, LONGEST + 1 - length);
            if (length + kept > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.min(LONGEST + 1, Math.max(length + kept, 2 * bytes.length)));
            }
            System.arraycopy(buffer, from, bytes, length, kept);
            length += kept;
            if (position < limit) {
                position++;
                break;
            }
        }
        return length;
    }

    private boolean fill() throws IOException {
        position = 0;
        limit = Math.max(0, in.read(buffer));
        if (line <= 1) {
            requireText();
        }
        return limit > 0;
    }

    /**
     * Bytes of zero in number stand in no text but UTF-16, which comes here in another form where it is known to be
     * that. A few may be a slip of whoever wrote the text.
     */
    private void requireText() {
        int zeros = 0;
        for (int i = 0; i < limit; i++) {
            zeros += buffer[i] == 0 ? 1 : 0;
        }
        if (zeros >= FEWEST_ZEROS && zeros > limit / 100) {
            binary = true;
            throw new DataException(file, 1, LegacyEncodings.utf16(buffer, limit).map(encoding -> "looks like UTF-16 "
                    + "without a byte order mark; read the file as " + encoding)
                    .orElse("is a binary file; use JSON Lines, a JSON array, CSV, TSV, Parquet or Markdown"));
        }
    }

    private boolean startsWith(int length, int... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (i >= length || (bytes[i] & 0xFF) != expected[i]) {
                return false;
            }
        }
        return true;
    }

    private String decode(int from, int end) {
        ByteBuffer source = ByteBuffer.wrap(bytes, from, end - from);
        CharBuffer target = CharBuffer.allocate(end - from);
        CoderResult result = decoder.reset().decode(source, target, true);
        if (result.isError()) {
            String found = String.format("byte 0x%02X", bytes[source.position()] & 0xFF);
            Optional<String> hint = LegacyEncodings.hint(bytes, end, source.position());
            throw new DataException(file, line, target.position() + 1, found + " is not UTF-8 text here; "
                    + hint.map(text -> text + ", or convert it to UTF-8").orElse("convert the file to UTF-8, or name "
                            + "its encoding"),
                    null);
        }
        return target.flip().toString();
    }

    /** What a line that is not UTF-8 may have been saved in, by what its letters would be. */
    private static final class LegacyEncodings {
        /** As spreadsheets write them; the first one wins where several fit. */
        private static final List<String> CANDIDATES = List.of("windows-1252", "x-MacRoman", "IBM850", "windows-1250",
                "windows-1251");
        /** Letters beyond ASCII that western languages use much; no other reading of their bytes has many of them. */
        private static final String COMMON = "äöüßÄÖÜéèêëàâáíóúñçãõåøæÉœ–—’„“”€§°«»";
        private static final int LONGEST_WORD = 40;

        private LegacyEncodings() {
        }

        /**
         * A hint such as {@code in windows-1252 the word is 'Kündigung'}; empty where no reading makes a word of it.
         *
         * @param line the bytes of the line
         * @param length how many they are
         * @param at where the first byte lies that is not UTF-8
         */
        static Optional<String> hint(byte[] line, int length, int at) {
            return CANDIDATES.stream().filter(Charset::isSupported).flatMap(name -> reading(name, line, length, at))
                    .max((a, b) -> Integer.compare(a.letters(), b.letters()))
                    .filter(reading -> reading.letters() > 0)
                    .map(reading -> "in " + reading.encoding() + " the word is '" + reading.word()
                            + "'; if that is right, "
                            + "read the file as " + reading.encoding());
        }

        private record Reading(String encoding, String word, int letters) {
        }

        private static Stream<Reading> reading(String name, byte[] line, int length, int at) {
            String text = new String(line, 0, length, Charset.forName(name));
            // Each of these encodings has one character a byte.
            if (text.length() != length || text.indexOf('\uFFFD') >= 0) {
                return Stream.empty();
            }
            int letters = 0;
            for (int i = 0; i < length; i++) {
                if (line[i] < 0) {
                    letters += COMMON.indexOf(text.charAt(i)) >= 0 ? 2 : Character.isLetter(text.charAt(i)) ? 0 : -1;
                }
            }
            int from = at;
            int to = at + 1;
            while (from > 0 && at - from < LONGEST_WORD && isOfWord(text.charAt(from - 1))) {
                from--;
            }
            while (to < length && to - at < LONGEST_WORD && isOfWord(text.charAt(to))) {
                to++;
            }
            return Stream.of(new Reading(name, text.substring(from, to), letters));
        }

        private static boolean isOfWord(char character) {
            return Character.isLetterOrDigit(character) || character == '-';
        }

        /** Whether a binary-looking beginning is UTF-16 without its byte order mark: every second byte is zero. */
        static Optional<Charset> utf16(byte[] bytes, int length) {
            int[] zeros = new int[2];
            for (int i = 0; i < length; i++) {
                zeros[i % 2] += bytes[i] == 0 ? 1 : 0;
            }
            int most = Math.max(zeros[0], zeros[1]);
            if (length < 8 || most < length / 4 || Math.min(zeros[0], zeros[1]) > 0) {
                return Optional.empty();
            }
            return Optional.of(zeros[1] > 0 ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_16BE);
        }
    }
}
