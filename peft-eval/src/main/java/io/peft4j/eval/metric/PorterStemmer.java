package io.peft4j.eval.metric;

import java.util.List;
import java.util.Map;

/**
 * Porter's algorithm ("An algorithm for suffix stripping", 1980) with the extensions of NLTK, which rouge-score stems
 * with. A word is lower-case ASCII letters and digits; a rule applies when the stem before its suffix has enough
 * measure: the number of times that a vowel is followed by a consonant.
 */
final class PorterStemmer {
    /**
     * A suffix, what takes its place, and the measure that the stem must exceed. The first suffix that fits decides.
     */
    private record Rule(String suffix, String replacement, int above) {
    }

    private static final Map<String, String> IRREGULAR = Map.ofEntries(Map.entry("sky", "sky"),
            Map.entry("skies", "sky"), Map.entry("dying", "die"), Map.entry("lying", "lie"), Map.entry("tying", "tie"),
            Map.entry("news", "news"), Map.entry("innings", "inning"), Map.entry("inning", "inning"),
            Map.entry("outings", "outing"), Map.entry("outing", "outing"), Map.entry("cannings", "canning"),
            Map.entry("canning", "canning"), Map.entry("howe", "howe"), Map.entry("proceed", "proceed"),
            Map.entry("exceed", "exceed"), Map.entry("succeed", "succeed"));
    private static final List<Rule> DOUBLE_SUFFIXES = rules(0, "ational ate", "tional tion", "enci ence", "anci ance",
            "izer ize", "bli ble", "alli al", "entli ent", "eli e", "ousli ous", "ization ize", "ation ate",
            "ator ate", "alism al", "iveness ive", "fulness ful", "ousness ous", "aliti al", "iviti ive",
            "biliti ble", "fulli ful");
    private static final List<Rule> ENDINGS = rules(0, "icate ic", "ative ", "alize al", "iciti ic", "ical ic", "ful ",
            "ness ");
    private static final List<Rule> SINGLE_SUFFIXES = rules(1, "al ", "ance ", "ence ", "er ", "ic ", "able ", "ible ",
            "ant ", "ement ", "ment ", "ent ", "ion ", "ou ", "ism ", "ate ", "iti ", "ous ", "ive ", "ize ");

    private PorterStemmer() {
    }

    private static List<Rule> rules(int above, String... pairs) {
        return List.of(pairs).stream().map(pair -> {
            String[] parts = pair.split(" ", -1);
            return new Rule(parts[0], parts[1], above);
        }).toList();
    }

    /** The stem of a word in lower case. */
    static String stem(String word) {
        String irregular = IRREGULAR.get(word);
        if (irregular != null || word.length() <= 2) {
            return irregular != null ? irregular : word;
        }
        String stem = withoutParticiple(withoutPlural(word));
        if (stem.endsWith("y") && stem.length() > 2 && isConsonant(stem, stem.length() - 2)) {
            stem = cut(stem, 1) + "i";
        }
        stem = apply(ENDINGS, withoutDoubleSuffix(stem));
        return tidy(withoutSingleSuffix(stem));
    }

    private static String withoutPlural(String word) {
        if (word.endsWith("ies")) {
            return cut(word, 3) + (word.length() == 4 ? "ie" : "i");
        }
        if (word.endsWith("sses")) {
            return cut(word, 2);
        }
        return word.endsWith("s") && !word.endsWith("ss") ? cut(word, 1) : word;
    }

    private static String withoutParticiple(String word) {
        if (word.endsWith("ied")) {
            return cut(word, 3) + (word.length() == 4 ? "ie" : "i");
        }
        if (word.endsWith("eed")) {
            return measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
        }
        int suffix = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
        if (suffix == 0 || !containsVowel(cut(word, suffix))) {
            return word;
        }
        String stem = cut(word, suffix);
        if (stem.endsWith("at") || stem.endsWith("bl") || stem.endsWith("iz")) {
            return stem + "e";
        }
        char last = stem.charAt(stem.length() - 1);
        if (stem.length() >= 2 && last == stem.charAt(stem.length() - 2) && isConsonant(stem, stem.length() - 1)) {
            return "lsz".indexOf(last) < 0 ? cut(stem, 1) : stem;
        }
        return measure(stem) == 1 && endsShort(stem) ? stem + "e" : stem;
    }

    private static String withoutDoubleSuffix(String word) {
        if (word.endsWith("alli") && measure(cut(word, 4)) > 0) {
            return withoutDoubleSuffix(cut(word, 2));
        }
        for (Rule rule : DOUBLE_SUFFIXES) {
            if (word.endsWith(rule.suffix)) {
                return apply(List.of(rule), word);
            }
        }
        // The l counts as part of the stem, so that "geologi" is like "archaeologi".
        return word.endsWith("logi") && measure(cut(word, 3)) > 0 ? cut(word, 1) : word;
    }

    private static String withoutSingleSuffix(String word) {
        for (Rule rule : SINGLE_SUFFIXES) {
            if (word.endsWith(rule.suffix)) {
                String stem = cut(word, rule.suffix.length());
                boolean fits = !rule.suffix.equals("ion") || stem.endsWith("s") || stem.endsWith("t");
                return fits ? apply(List.of(rule), word) : word;
            }
        }
        return word;
    }

    private static String tidy(String word) {
        String stem = word;
        if (word.endsWith("e")) {
            String shorter = cut(word, 1);
            int measure = measure(shorter);
            stem = measure > 1 || measure == 1 && !endsShort(shorter) ? shorter : word;
        }
        return stem.endsWith("ll") && measure(cut(stem, 1)) > 1 ? cut(stem, 1) : stem;
    }

    private static String apply(List<Rule> rules, String word) {
        for (Rule rule : rules) {
            if (word.endsWith(rule.suffix)) {
                String stem = cut(word, rule.suffix.length());
                return measure(stem) > rule.above ? stem + rule.replacement : word;
            }
        }
        return word;
    }

    private static String cut(String word, int characters) {
        return word.substring(0, word.length() - characters);
    }

    /** Whether a letter is none of a, e, i, o, u, nor a y behind a consonant. */
    private static boolean isConsonant(String word, int at) {
        int first = at;
        while (first > 0 && word.charAt(first) == 'y') {
            first--;
        }
        boolean consonant = "aeiou".indexOf(word.charAt(first)) < 0;
        return (at - first) % 2 == 0 ? consonant : !consonant;
    }

    private static int measure(String stem) {
        int measure = 0;
        boolean afterVowel = false;
        boolean consonant = false;
        for (int i = 0; i < stem.length(); i++) {
            char c = stem.charAt(i);
            consonant = c == 'y' ? i == 0 || !consonant : "aeiou".indexOf(c) < 0;
            measure += consonant && afterVowel ? 1 : 0;
            afterVowel = !consonant;
        }
        return measure;
    }

    private static boolean containsVowel(String stem) {
        for (int i = 0; i < stem.length(); i++) {
            if (!isConsonant(stem, i)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a word ends in consonant, vowel, consonant other than w, x, y; or is vowel and consonant. */
    private static boolean endsShort(String word) {
        int n = word.length();
        if (n == 2) {
            return !isConsonant(word, 0) && isConsonant(word, 1);
        }
        return n >= 3 && isConsonant(word, n - 3) && !isConsonant(word, n - 2) && isConsonant(word, n - 1)
                && "wxy".indexOf(word.charAt(n - 1)) < 0;
    }
}
