package io.peft4j.data.near;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Cuts a text into words: case, accents, punctuation and the spelling of numbers make no difference. */
final class WordTokenizer {
    private final String text;
    private final List<Word> words = new ArrayList<>();
    private boolean sentenceBegins = true;
    private int at;

    private WordTokenizer(String text) {
        this.text = text;
    }

    static List<Word> of(String text) {
        WordTokenizer cutter = new WordTokenizer(
                isAscii(text) ? text : Normalizer.normalize(text, Normalizer.Form.NFKC));
        cutter.cut();
        return cutter.words;
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    private void cut() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (isDigit(c)) {
                number();
            } else if (isLetter(at)) {
                word();
            } else {
                mark(c);
                at++;
            }
        }
    }

    private void mark(char c) {
        if (c == '.' || c == '!' || c == '?' || c == ':' || c == '\n') {
            sentenceBegins = true;
        }
        String currency = switch (c) {
            case '\u20ac' -> "euro";
            case '$' -> "dollar";
            case '\u00a3' -> "pound";
            case '%' -> "percent";
            default -> "";
        };
        if (!currency.isEmpty()) {
            add(currency, false, false);
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private boolean isLetter(int index) {
        int c = text.codePointAt(index);
        return Character.isLetter(c) || Character.getType(c) == Character.NON_SPACING_MARK
                || Character.getType(c) == Character.COMBINING_SPACING_MARK;
    }

    /** Digits with what belongs to them: 1,300 and 1300 are the same, 17:00 is one word, 90days are two. */
    private void number() {
        StringBuilder digits = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at);
            if (isDigit(c)) {
                digits.append(c);
            } else if ((c == '.' || c == ',') && at + 1 < text.length() && isDigit(text.charAt(at + 1))) {
                if (!isThousands(at)) {
                    digits.append('.');
                }
            } else if (c == ':' && at + 1 < text.length() && isDigit(text.charAt(at + 1))) {
                digits.append(':');
            } else {
                break;
            }
            at++;
        }
        int from = at;
        while (at < text.length() && Character.isLetterOrDigit(text.charAt(at))) {
            at++;
        }
        String suffix = text.substring(from, at).toLowerCase(Locale.ROOT);
        boolean ordinal = suffix.isEmpty() || suffix.equals("st") || suffix.equals("nd") || suffix.equals("rd")
                || suffix.equals("th");
        boolean unit = suffix.length() >= 3 && suffix.chars().allMatch(Character::isLetter);
        add(trimmed(digits.toString()) + (ordinal || unit ? "" : suffix), true, false);
        if (unit) {
            add(plain(suffix), false, false);
        }
    }

    /** Whether the mark at an index precedes exactly three digits. */
    private boolean isThousands(int mark) {
        int end = mark + 1;
        while (end < text.length() && isDigit(text.charAt(end))) {
            end++;
        }
        return end - mark == 4;
    }

    /** Without zeros that say nothing: 007 is 7, 1.50 is 1.5. */
    private static String trimmed(String digits) {
        String number = digits;
        if (number.indexOf('.') > 0 && number.indexOf('.') == number.lastIndexOf('.') && number.indexOf(':') < 0) {
            number = number.replaceAll("0+$", "").replaceAll("\\.$", "");
        }
        int from = 0;
        while (from + 1 < number.length() && number.charAt(from) == '0' && isDigit(number.charAt(from + 1))) {
            from++;
        }
        return number.substring(from);
    }

    private void word() {
        int from = at;
        boolean digit = false;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (isDigit(c)) {
                digit = true;
            } else if (c == '\'' || c == '\u2019') {
                if (at + 1 >= text.length() || !isLetter(at + 1)) {
                    break;
                }
            } else if (!isLetter(at)) {
                break;
            }
            at += Character.charCount(text.codePointAt(at));
        }
        String word = text.substring(from, at);
        boolean capital = Character.isUpperCase(word.codePointAt(0));
        String norm = plain(word);
        if (norm.endsWith("n't")) {
            add("not", false, false);
            return;
        }
        int apostrophe = norm.indexOf('\'');
        norm = apostrophe > 0 ? norm.substring(0, apostrophe) : norm;
        int value = StopWords.number(norm);
        if (norm.equals("wieviel") || norm.equals("wieviele")) {
            add("wie", false, capital);
            add(norm.substring(3), false, false);
        } else if (value > 0) {
            addNumberWord(value);
        } else {
            add(norm, digit, capital);
        }
    }

    /** twenty-five is 25. */
    private void addNumberWord(int value) {
        if (!words.isEmpty() && value < 10 && words.get(words.size() - 1).number()) {
            String before = words.get(words.size() - 1).norm();
            if (before.length() == 2 && before.charAt(1) == '0' && before.charAt(0) >= '2' && isDigit(before.charAt(0))
                    && text.charAt(at - 1) != '0') {
                words.remove(words.size() - 1);
                add(String.valueOf(Integer.parseInt(before) + value), true, false);
                return;
            }
        }
        add(String.valueOf(value), true, false);
    }

    private void add(String norm, boolean number, boolean capital) {
        words.add(new Word(norm, number ? norm : stem(norm), number, capital, sentenceBegins));
        sentenceBegins = false;
    }

    /** Lower case, without accents. */
    private static String plain(String word) {
        String lower = word.toLowerCase(Locale.ROOT).replace('\u2019', '\'');
        if (isAscii(lower)) {
            return lower;
        }
        return Normalizer.normalize(lower.replace("\u00df", "ss"), Normalizer.Form.NFD).replaceAll("\\p{Mn}+", "");
    }

    private static String stem(String word) {
        int n = word.length();
        if (n > 4 && word.endsWith("ies")) {
            return word.substring(0, n - 3) + "y";
        }
        if (n > 6 && word.endsWith("ing")) {
            return word.substring(0, n - 3);
        }
        if (n > 5 && word.endsWith("ed")) {
            return word.substring(0, n - 2);
        }
        return n > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.substring(0, n - 1) : word;
    }
}
