package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Text in UTF-8 that was read as Windows-1252 or Latin-1 and saved like that, once or several times:
 * {@code KÃ¼ndigung} for {@code Kündigung}. Found by sequences that no text has but that result from it, and
 * mended there and nowhere else, so that a text of which some lines are sound stays sound.
 */
@Internal
public final class Mojibake {
    private static final int MOST_TIMES = 3;
    /** The characters that the bytes 0x80 to 0x9F have in Windows-1252; Latin-1 keeps their numbers. */
    private static final String WINDOWS = new String(range(0x80, 0x9F), Charset.forName("windows-1252"))
            .replace("\uFFFD", "");
    private static final Map<Character, Byte> BYTES = new HashMap<>();
    private static final String FOLLOWING = "[\\x{80}-\\x{BF}" + WINDOWS + "]";
    /** Characters of two, three and four bytes. */
    private static final Pattern SEQUENCE = Pattern.compile("[\\x{C2}-\\x{DF}]" + FOLLOWING + "|[\\x{E0}-\\x{EF}]"
            + FOLLOWING + "{2}|[\\x{F0}-\\x{F4}]" + FOLLOWING + "{3}");
    private static final Pattern UNREADABLE = Pattern.compile("[\\p{Cntrl}\\p{Co}\\p{Cn}\uFFFD]");

    static {
        for (int value = 0x80; value <= 0x9F; value++) {
            BYTES.put((char) value, (byte) value);
            String letter = new String(new byte[] {(byte) value}, Charset.forName("windows-1252"));
            if (!letter.equals("\uFFFD")) {
                BYTES.put(letter.charAt(0), (byte) value);
            }
        }
        for (int value = 0xA0; value <= 0xFF; value++) {
            BYTES.put((char) value, (byte) value);
        }
    }

    private Mojibake() {
    }

    private static byte[] range(int from, int to) {
        byte[] bytes = new byte[to - from + 1];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (from + i);
        }
        return bytes;
    }

    /** The text as it was meant; the same object where nothing is wrong with it. */
    public static String mended(String text) {
        String mended = text;
        for (int i = 0; i < MOST_TIMES; i++) {
            String next = once(mended);
            if (next.equals(mended)) {
                break;
            }
            mended = next;
        }
        return mended;
    }

    private static String once(String text) {
        if (text.chars().noneMatch(c -> c >= 0xC2 && c <= 0xF4)) {
            return text;
        }
        Matcher found = SEQUENCE.matcher(text);
        StringBuilder mended = null;
        int done = 0;
        while (found.find()) {
            String meant = decoded(found.group());
            boolean follows = mended != null && done == found.start();
            if (!meant.isEmpty() && (follows || isSure(text, found))) {
                mended = mended == null ? new StringBuilder() : mended;
                mended.append(text, done, found.start()).append(meant);
                done = found.end();
            }
        }
        return mended == null ? text : mended.append(text, done, text.length()).toString();
    }

    /** What the bytes of some characters are in UTF-8; empty where they are none that a text has. */
    private static String decoded(String characters) {
        byte[] bytes = new byte[characters.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = BYTES.get(characters.charAt(i));
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            boolean control = UNREADABLE.matcher(text).find() && text.codePointAt(0) != 0xFEFF
                    && !isHalfMended(text.charAt(0));
            return control ? "" : text;
        } catch (CharacterCodingException e) {
            return "";
        }
    }

    /** A control character that the second of two mendings will need: {@code Ã} was written as two characters. */
    private static boolean isHalfMended(char character) {
        return character >= 0x80 && character <= 0x9F;
    }

    private static boolean isMark(char character) {
        return "\u2018\u2019\u201c\u201d\u201e\u201a\u2026\u00ab\u00bb".indexOf(character) >= 0;
    }

    /**
     * Whether no sound text has these characters together. {@code „Ä“} and {@code MANHÃ”} are sound, where a capital
     * letter ends before a mark.
     */
    private static boolean isSure(String text, Matcher found) {
        char first = text.charAt(found.start());
        char second = text.charAt(found.start() + 1);
        boolean mark = found.end() - found.start() == 2 && isMark(second);
        boolean letterBefore = found.start() > 0 && Character.isLetter(text.charAt(found.start() - 1));
        boolean smallBefore = letterBefore && Character.isLowerCase(text.charAt(found.start() - 1));
        boolean letterAfter = found.end() < text.length() && Character.isLetter(text.charAt(found.end()));
        if (first == '\u00c3' || first == '\u00c2') {
            return !mark || smallBefore || letterAfter;
        }
        boolean another = SEQUENCE.matcher(text).region(found.end(), text.length()).lookingAt();
        if (found.end() - found.start() > 2) {
            // A quoted word may end in another of these letters and two marks; garbled texts have many of them.
            return another || first == '\u00e2' || first == '\u00f0' || found.group().equals("\u00ef\u00bb\u00bf");
        }
        // Capital letters stand in many texts: only where a small one goes before, a letter or another one follows. One
        // of these letters is a small one, with which many words end.
        boolean join = "\u00a0\u00ad\u2013\u2014\u2022\u00b7".indexOf(second) >= 0;
        return another || first != '\u00df' && (smallBefore || letterAfter && !mark && !join);
    }
}
