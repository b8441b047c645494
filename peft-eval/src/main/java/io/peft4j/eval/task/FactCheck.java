package io.peft4j.eval.task;

import io.peft4j.eval.metric.internal.FactMatcher;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether an answer holds a fact, told in one of several ways. */
public sealed interface FactCheck {
    /** Whether an answer passes. */
    boolean accepts(String answer);

    /** All of these texts occur, see {@link FactMatcher}. */
    static FactCheck all(String... texts) {
        return new AllOf(List.of(texts), false);
    }

    /** One of these texts occurs, see {@link FactMatcher}. */
    static FactCheck anyOf(String... texts) {
        return new AnyOf(List.of(texts), false);
    }

    /** A regular expression is found. */
    static FactCheck regex(String expression) {
        return new Regex(Pattern.compile(expression));
    }

    /**
     * The same with numbers and units normalised on both sides: {@code 1,300 EUR} is {@code €1300}, {@code 90-day} is
     * {@code 90 days} and {@code ninety days}, {@code 50%} is {@code 50 percent}. Numbers in words are read up to
     * ninety-nine. A regular expression stays as it is.
     */
    default FactCheck normalized() {
        return this;
    }

    /**
     * All texts occur.
     *
     * @param texts what must occur
     * @param normalizes whether numbers and units are normalised
     */
    record AllOf(List<String> texts, boolean normalizes) implements FactCheck {
        /** Copies the list. */
        public AllOf {
            texts = List.copyOf(texts);
        }

        @Override
        public boolean accepts(String answer) {
            return texts.stream().allMatch(text -> holds(answer, text, normalizes));
        }

        @Override
        public FactCheck normalized() {
            return new AllOf(texts, true);
        }

        @Override
        public String toString() {
            return String.join(", ", texts);
        }
    }

    /**
     * One of the texts occurs.
     *
     * @param texts of which one must occur
     * @param normalizes whether numbers and units are normalised
     */
    record AnyOf(List<String> texts, boolean normalizes) implements FactCheck {
        /** Copies the list. */
        public AnyOf {
            texts = List.copyOf(texts);
        }

        @Override
        public boolean accepts(String answer) {
            return texts.stream().anyMatch(text -> holds(answer, text, normalizes));
        }

        @Override
        public FactCheck normalized() {
            return new AnyOf(texts, true);
        }

        @Override
        public String toString() {
            return "one of " + String.join(" / ", texts);
        }
    }

    /**
     * A regular expression is found.
     *
     * @param pattern the expression
     */
    record Regex(Pattern pattern) implements FactCheck {
        /** Refuses null. */
        public Regex {
            Objects.requireNonNull(pattern, "pattern");
        }

        @Override
        public boolean accepts(String answer) {
            return pattern.matcher(answer).find();
        }

        @Override
        public String toString() {
            return "what matches " + pattern;
        }
    }

    private static boolean holds(String answer, String text, boolean normalizes) {
        return FactMatcher.contains(answer, text)
                || normalizes && FactMatcher.contains(Units.normalize(answer), Units.normalize(text));
    }

    /** One spelling for numbers and their units. */
    final class Units {
        private static final Map<String, Integer> WORDS = words();
        private static final Pattern THOUSANDS = Pattern.compile(
                "(?<![\\d.,])\\d{1,3}(?:[,' \\u00a0\\u202f]\\d{3})+(?!\\d)");
        private static final Pattern CURRENCY = Pattern.compile("([$\u20ac\u00a3])\\s?(\\d+(?:\\.\\d+)?)");
        private static final Pattern TENS = Pattern.compile("\\b(twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
                + "[- ](one|two|three|four|five|six|seven|eight|nine)\\b");
        private static final Pattern WORD = Pattern.compile("\\b[a-z]+\\b");
        private static final Pattern UNIT = Pattern.compile("(\\d)[-\\s]*(days?|weeks?|months?|years?|hours?|minutes?|"
                + "euros?|eur|dollars?|usd|pounds?|gbp|percent|per cent|%|\u20ac|\\$|\u00a3|kilometres?|kilometers?|km|"
                + "metres?|meters?|kilograms?|kg)(?![a-z])");
        private static final Map<String, String> UNITS = Map.ofEntries(Map.entry("eur", "euro"),
                Map.entry("\u20ac", "euro"), Map.entry("usd", "dollar"), Map.entry("$", "dollar"),
                Map.entry("gbp", "pound"), Map.entry("\u00a3", "pound"), Map.entry("%", "percent"),
                Map.entry("per cent", "percent"), Map.entry("km", "kilometre"), Map.entry("kilometer", "kilometre"),
                Map.entry("meter", "metre"), Map.entry("kg", "kilogram"));

        private Units() {
        }

        private static Map<String, Integer> words() {
            Map<String, Integer> words = new HashMap<>();
            List<String> small = List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
                    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
                    "nineteen");
            small.forEach(word -> words.put(word, small.indexOf(word)));
            List<String> tens = List.of("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety");
            tens.forEach(word -> words.put(word, 20 + 10 * tens.indexOf(word)));
            return words;
        }

        /** The text in lower case with one spelling of numbers and units. */
        static String normalize(String text) {
            String plain = THOUSANDS.matcher(text.toLowerCase(Locale.ROOT).replace('\u2011', '-'))
                    .replaceAll(m -> m.group().replaceAll("\\D", ""));
            plain = TENS.matcher(plain)
                    .replaceAll(m -> Integer.toString(WORDS.get(m.group(1)) + WORDS.get(m.group(2))));
            plain = WORD.matcher(plain).replaceAll(m -> WORDS.containsKey(m.group())
                    ? WORDS.get(m.group()).toString() : Matcher.quoteReplacement(m.group()));
            plain = CURRENCY.matcher(plain).replaceAll(m -> m.group(2) + Matcher.quoteReplacement(m.group(1)));
            return UNIT.matcher(plain).replaceAll(m -> m.group(1) + " " + unit(m.group(2)));
        }

        private static String unit(String unit) {
            String singular = unit.length() > 2 && unit.endsWith("s") ? unit.substring(0, unit.length() - 1) : unit;
            return UNITS.getOrDefault(singular, singular);
        }
    }
}
