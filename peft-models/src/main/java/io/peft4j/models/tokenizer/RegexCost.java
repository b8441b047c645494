package io.peft4j.models.tokenizer;

import io.peft4j.models.tokenizer.RegexSyntax.Atomic;
import io.peft4j.models.tokenizer.RegexSyntax.Choice;
import io.peft4j.models.tokenizer.RegexSyntax.Node;
import io.peft4j.models.tokenizer.RegexSyntax.Place;
import io.peft4j.models.tokenizer.RegexSyntax.Repeat;
import io.peft4j.models.tokenizer.RegexSyntax.Sequence;
import java.util.List;

/**
 * How many ways one match of a regular expression can try at most: {@code constant + perCharacter n} in a text of
 * {@code n} characters. Oniguruma gives up after ten million, and the library above it then takes the process down; so
 * expressions whose ways grow faster, as those of {@code (a+)+$} do, are refused.
 *
 * <p>What matters is whether something behind a part can fail: only then are the part's other ways tried. The last
 * repetition of {@code \s*[\r\n]+} costs nothing, the first one a way for each character.
 *
 * @param constant ways that do not depend on the text
 * @param perCharacter ways for each character of the text
 */
record RegexCost(double constant, double perCharacter) {
    private static final RegexCost ONE = new RegexCost(1, 0);
    private static final double MOST = 100_000;

    /** Backtracking steps after which Oniguruma gives up are 10 million; a fifth is left for how it counts them. */
    private static final double STEPS = 8e6;

    RegexCost {
        if (constant > MOST || perCharacter > MOST) {
            throw new IllegalArgumentException("a match of it can take too many ways");
        }
    }

    /**
     * The cost of an expression.
     *
     * @throws IllegalArgumentException when it grows faster than the text, or the expression is not understood
     */
    static RegexCost of(String expression) {
        return ways(RegexSyntax.parse(expression), false);
    }

    /** Whether an expression can match where no character is. */
    static boolean matchesNothing(String expression) {
        return canBeEmpty(RegexSyntax.parse(expression));
    }

    /** How many characters a text may have so that no match of the expression gives up. */
    int longestText() {
        return (int) Math.min(Integer.MAX_VALUE, (STEPS - constant) / perCharacter);
    }

    private RegexCost times(RegexCost other) {
        if (perCharacter > 0 && other.perCharacter > 0) {
            throw new IllegalArgumentException("a match of it can take time that grows with the square of the text");
        }
        return new RegexCost(constant * other.constant,
                constant * other.perCharacter + perCharacter * other.constant);
    }

    private RegexCost plus(RegexCost other) {
        return new RegexCost(constant + other.constant, perCharacter + other.perCharacter);
    }

    /**
     * The ways of a part.
     *
     * @param resumed whether something behind it can fail, so that its other ways are tried
     */
    private static RegexCost ways(Node node, boolean resumed) {
        if (node instanceof Sequence sequence) {
            return sequence(sequence.parts(), resumed);
        }
        if (node instanceof Choice choice) {
            return choice.branches().stream().map(branch -> ways(branch, resumed)).reduce(RegexCost::plus)
                    .orElse(ONE);
        }
        if (node instanceof Repeat repeat) {
            return repeat.most() == Integer.MAX_VALUE ? loop(repeat, resumed) : counted(repeat, resumed);
        }
        if (node instanceof Atomic atomic) {
            return ways(atomic.body(), false);
        }
        return node instanceof Place place ? ways(place.condition(), false) : ONE;
    }

    private static RegexCost sequence(List<Node> parts, boolean resumed) {
        RegexCost tried = ONE;
        RegexCost behind = new RegexCost(0, 0);
        boolean failsBehind = resumed;
        for (int i = parts.size() - 1; i >= 0; i--) {
            RegexCost cost = ways(parts.get(i), failsBehind);
            failsBehind |= canFail(parts.get(i));
            if (failsBehind) {
                tried = tried.times(cost);
            } else {
                // Behind the last part that can fail, a part runs once, when all before it have matched.
                behind = behind.plus(new RegexCost(cost.constant - 1, cost.perCharacter));
            }
        }
        return tried.plus(behind);
    }

    private static RegexCost loop(Repeat repeat, boolean resumed) {
        // A repetition that fails ends the loop; it leads back into the one before only where one more is due.
        RegexCost once = ways(repeat.body(), resumed || repeat.least() > 1);
        if (once.perCharacter > 0 || resumed && once.constant > 1) {
            throw new IllegalArgumentException("a part of it that repeats can itself match in several ways");
        }
        if (resumed) {
            return new RegexCost(1, 1);
        }
        return once.constant > 1 ? new RegexCost(once.constant, once.constant) : ONE;
    }

    private static RegexCost counted(Repeat repeat, boolean resumed) {
        RegexCost once = ways(repeat.body(), resumed || repeat.most() > 1);
        RegexCost sum = new RegexCost(0, 0);
        RegexCost power = ONE;
        for (int i = 0; i <= repeat.most(); i++) {
            sum = i >= repeat.least() ? sum.plus(power) : sum;
            power = i < repeat.most() ? power.times(once) : power;
        }
        return resumed || once.constant > 1 || once.perCharacter > 0 ? sum : ONE;
    }

    private static boolean canFail(Node node) {
        if (node instanceof Sequence sequence) {
            return sequence.parts().stream().anyMatch(RegexCost::canFail);
        }
        if (node instanceof Choice choice) {
            return choice.branches().stream().allMatch(RegexCost::canFail);
        }
        if (node instanceof Repeat repeat) {
            return repeat.least() > 0 && canFail(repeat.body());
        }
        return !(node instanceof Atomic atomic) || canFail(atomic.body());
    }

    private static boolean canBeEmpty(Node node) {
        if (node instanceof Sequence sequence) {
            return sequence.parts().stream().allMatch(RegexCost::canBeEmpty);
        }
        if (node instanceof Choice choice) {
            return choice.branches().stream().anyMatch(RegexCost::canBeEmpty);
        }
        if (node instanceof Repeat repeat) {
            return repeat.least() == 0 || canBeEmpty(repeat.body());
        }
        return node instanceof Atomic atomic ? canBeEmpty(atomic.body()) : node instanceof Place;
    }
}
