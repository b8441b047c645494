package io.peft4j.data.near;

import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;

/**
 * Tells slips of the pen from words of their own that are one letter apart: employer and employee, county and country,
 * Martin and Martina. A slip is rare beside the word that was meant.
 */
final class TypoRules {
    /** Endings that name who does a thing, whom it is done to, and that it is done. */
    private static final Set<String> PARTS = Set.of("er", "ee", "ed");
    /** A last letter that inflects: approve and approved, Woche and Wochen. */
    private static final String INFLECTION = "sden";
    /** Occurrences that make a word intended, and how many times as often the meant word is seen at least. */
    private static final int SEEN = 2;
    private static final int RARER = 5;
    /** In words as long as this a double l is spelling; filled and filed are two words. */
    private static final int LONG = 8;

    private final WordStatistics statistics;

    TypoRules(WordStatistics statistics) {
        this.statistics = statistics;
    }

    /** Judges pairs of words, the first of one text and the second of another. */
    BiPredicate<Word, Word> between(List<Word> first, List<Word> second) {
        return (a, b) -> looksLikeOne(a, b) && !play(a.norm(), b.norm()) && !areNames(a, b, first, second)
                && !areBothKnown(a, b);
    }

    /** One letter more, less, other, or two swapped, in a longer word that is not a number; never the first letter. */
    static boolean looksLikeOne(Word a, Word b) {
        String s = a.norm();
        String t = b.norm();
        if (a.number() || b.number() || Math.min(s.length(), t.length()) < 3
                || Math.max(s.length(), t.length()) < 4 || Math.abs(s.length() - t.length()) > 1
                || s.charAt(0) != t.charAt(0)) {
            return false;
        }
        int from = 0;
        while (from < Math.min(s.length(), t.length()) && s.charAt(from) == t.charAt(from)) {
            from++;
        }
        int tail = 0;
        while (tail < Math.min(s.length(), t.length()) - from
                && s.charAt(s.length() - 1 - tail) == t.charAt(t.length() - 1 - tail)) {
            tail++;
        }
        int left = s.length() - from - tail;
        int right = t.length() - from - tail;
        boolean one = left <= 1 && right <= 1 && (left != right || s.length() >= 6);
        boolean swapped = left == 2 && right == 2 && s.charAt(from) == t.charAt(from + 1)
                && s.charAt(from + 1) == t.charAt(from);
        return one || swapped;
    }

    /** Whether two words name different parts in one thing, such as trainer and trainee, in the plural or not. */
    static boolean play(String s, String t) {
        boolean plural = s.endsWith("s") && t.endsWith("s");
        int end = s.length() - (plural ? 1 : 0);
        return s.length() == t.length() && end > 4 && s.regionMatches(0, t, 0, end - 1)
                && PARTS.contains(s.substring(end - 2, end)) && PARTS.contains(t.substring(end - 2, end));
    }

    /** Whether both are names, which in German, where every noun has a capital letter, cannot be told. */
    private boolean areNames(Word a, Word b, List<Word> first, List<Word> second) {
        return isName(a) && isName(b) && !isGerman(first) && !isGerman(second);
    }

    private boolean isName(Word word) {
        return word.capital() && !word.initial() && statistics.isName(word);
    }

    private static boolean isGerman(List<Word> words) {
        return words.stream().anyMatch(word -> StopWords.GERMAN.contains(word.norm()));
    }

    private boolean areBothKnown(Word a, Word b) {
        int one = statistics.sightings(a);
        int other = statistics.sightings(b);
        return Math.min(one, other) >= SEEN && Math.max(one, other) <= (long) RARER * Math.min(one, other)
                && !isInflected(a.norm(), b.norm()) && !isInflected(b.norm(), a.norm())
                && !american(a.norm()).equals(american(b.norm()));
    }

    /** American spelling, roughly: organise, colour, centre, licence and cancelled are the same words. */
    private static String american(String word) {
        String one = word.endsWith("s") && !word.endsWith("ss") ? word.substring(0, word.length() - 1) : word;
        String plain = one.replace('z', 's').replace("our", "or").replaceAll("re$", "er").replaceAll("ence$", "ense");
        return plain.length() < LONG ? plain : plain.replace("lled", "led").replace("lling", "ling");
    }

    private static boolean isInflected(String word, String longer) {
        return longer.length() == word.length() + 1 && longer.startsWith(word)
                && INFLECTION.indexOf(longer.charAt(longer.length() - 1)) >= 0;
    }
}
