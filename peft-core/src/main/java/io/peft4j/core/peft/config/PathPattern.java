package io.peft4j.core.peft.config;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression over layer paths as Python's {@code re} reads it. An expression comes from a file and may be
 * hostile, so the number of characters that a match looks at is bounded.
 */
@Internal
public final class PathPattern {
    /** Far more than any sensible expression needs on a path, and still done in a moment. */
    private static final int MOST_STEPS = 2_000_000;

    private final String expression;
    private final Pattern pattern;

    private PathPattern(String expression, Pattern pattern) {
        this.expression = expression;
        this.pattern = pattern;
    }

    /**
     * Compiles an expression.
     *
     * @param key the configuration key that holds it, for messages
     */
    public static PathPattern of(String key, String expression) {
        String java = expression.replace("(?P<", "(?<").replaceAll("\\(\\?P=(\\w+)\\)", "\\\\k<$1>");
        try {
            return new PathPattern(expression, Pattern.compile(java));
        } catch (PatternSyntaxException e) {
            throw new ConfigurationException(key + " '" + expression + "' is not a valid regular expression: "
                    + e.getDescription() + " at " + e.getIndex(), e);
        } catch (StackOverflowError e) {
            throw new ConfigurationException(key + " holds an expression that is nested too deeply", e);
        }
    }

    /** Python's {@code re.fullmatch}. */
    public boolean matchesAll(String path) {
        return run(path, Matcher::matches);
    }

    /** Python's {@code re.match}: from the beginning of the path, not necessarily to its end. */
    public boolean matchesBeginning(String path) {
        return run(path, Matcher::lookingAt);
    }

    /**
     * The text of the first group in a {@link #matchesBeginning match from the beginning}, or empty without a match.
     */
    public String groupFromBeginning(String path, String group) {
        String[] found = {""};
        run(path, matcher -> {
            if (matcher.lookingAt()) {
                found[0] = matcher.group(group);
            }
            return true;
        });
        return found[0];
    }

    private boolean run(String path, java.util.function.Predicate<Matcher> match) {
        try {
            return match.test(pattern.matcher(new Bounded(path, new int[1])));
        } catch (StackOverflowError e) {
            throw tooMany(e);
        } catch (TooManySteps e) {
            throw tooMany(null);
        }
    }

    private ConfigurationException tooMany(Throwable cause) {
        return new ConfigurationException("the expression '" + expression + "' takes too long to match a layer path; "
                + "write it without nested repetitions", cause);
    }

    @Override
    public String toString() {
        return expression;
    }

    /** Leaves the matcher; never seen outside. */
    private static final class TooManySteps extends Error {
        private static final long serialVersionUID = 1L;

        TooManySteps() {
            super(null, null, false, false);
        }
    }

    /** A text that counts how often it is looked at. */
    private record Bounded(String text, int[] steps) implements CharSequence {
        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            if (++steps[0] > MOST_STEPS) {
                throw new TooManySteps();
            }
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
