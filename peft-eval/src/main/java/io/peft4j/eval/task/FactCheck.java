package io.peft4j.eval.task;

import io.peft4j.eval.metric.internal.FactMatcher;
import io.peft4j.eval.task.internal.Value;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** Whether an answer holds a fact, told in one of several ways. */
public sealed interface FactCheck permits FactCheck.AllOf, FactCheck.AnyOf, FactCheck.Regex, DrawnFacts {
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
     * {@code 90 days} and {@code ninety days}, {@code 50%} is {@code 50 percent}, in the languages of {@link Value}. A
     * regular expression stays as it is.
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
                || normalizes && FactMatcher.contains(Value.canonical(answer), Value.canonical(text));
    }
}
