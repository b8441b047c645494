package io.peft4j.eval.task;

import io.peft4j.eval.metric.FactMatcher;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Whether an answer holds a fact, told in one of several ways. */
public sealed interface FactCheck permits FactCheck.Texts, FactCheck.Regex, DrawnFacts {
    /** Whether an answer passes. */
    boolean accepts(String answer);

    /** All of these texts occur, see {@link FactMatcher}. */
    static FactCheck all(String... texts) {
        return new Texts(List.of(texts), true, false);
    }

    /** One of these texts occurs, see {@link FactMatcher}. */
    static FactCheck anyOf(String... texts) {
        return new Texts(List.of(texts), false, false);
    }

    /** A regular expression is found. */
    static FactCheck regex(String expression) {
        return new Regex(Pattern.compile(expression));
    }

    /**
     * The same with numbers and units normalised on both sides: {@code 1,300 EUR} is {@code €1300}, {@code 90-day} is
     * {@code 90 days} and {@code ninety days}, {@code 50%} is {@code 50 percent}, in the languages of {@link Value}. A
     * regular expression stays as it is.
     */
    default FactCheck normalized() {
        return this;
    }

    /**
     * All texts occur, or one of them does.
     *
     * @param texts what must occur
     * @param all whether all of them must
     * @param normalizes whether numbers and units are normalised
     */
    record Texts(List<String> texts, boolean all, boolean normalizes) implements FactCheck {
        /** Copies the list. */
        public Texts {
            texts = List.copyOf(texts);
        }

        @Override
        public boolean accepts(String answer) {
            Predicate<String> occurs = text -> holds(answer, text, normalizes);
            return all ? texts.stream().allMatch(occurs) : texts.stream().anyMatch(occurs);
        }

        @Override
        public FactCheck normalized() {
            return new Texts(texts, all, true);
        }

        @Override
        public String toString() {
            return all ? String.join(", ", texts) : "one of " + String.join(" / ", texts);
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
                || normalizes && FactMatcher.contains(Value.canonical(answer), Value.canonical(text));
    }
}
