package io.peft4j.data.format;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What a line that is not UTF-8 may have been saved in, by what its letters would be. */
final class LegacyEncodings {
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
                .map(reading -> "in " + reading.encoding() + " the word is '" + reading.word() + "'; if that is right, "
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
