package io.peft4j.train;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * Watches the rewards of a training by what its updates measure: whether most groups teach nothing, the reward falls,
 * or answers grow until the limit cuts them. Means are of the last {@value #WINDOW} updates. Each kind is found once.
 */
final class RewardWatch {
    /** Updates that a mean is taken over. */
    static final int WINDOW = 10;
    /** A fall that is more than chance: the larger standard error of two means, times this. */
    private static final double ERRORS = 8;
    private static final double LOST_SHARE = 1.0 / 3;
    private static final double MOST = 0.5;
    private static final double NEARLY_ALL = 0.8;
    private static final double LONGER = 2;

    private final Deque<Map<String, Double>> recent = new ArrayDeque<>();
    private Optional<Means> first = Optional.empty();
    private Optional<Means> best = Optional.empty();
    private boolean saidEqual;
    private boolean saidCollapse;

    /**
     * What was found.
     *
     * @param text what it is and what to do
     * @param isCollapse whether going on makes the model worse
     */
    public record Finding(String text, boolean isCollapse) {
    }

    /** Means over the window, with the standard error of the reward's. */
    private record Means(double reward, double error, double length, double cut, double equal) {
    }

    /** Looks at an update; what is found with it. */
    public Optional<Finding> onStep(StepMetrics step) {
        if (!step.measures().containsKey("reward")) {
            return Optional.empty();
        }
        recent.addLast(step.measures());
        if (recent.size() < WINDOW) {
            return Optional.empty();
        }
        Means now = means();
        recent.removeFirst();
        first = first.or(() -> Optional.of(now));
        best = best.filter(known -> known.reward() >= now.reward()).or(() -> Optional.of(now));
        // Rewards that came with the data say nothing about the model.
        Optional<Finding> collapse = saidCollapse || !step.measures().containsKey("ungraded") ? Optional.empty()
                : collapse(now, step.step());
        saidCollapse |= collapse.isPresent();
        return collapse.or(() -> equal(now, step.step()));
    }

    private Optional<Finding> collapse(Means now, long step) {
        Means before = best.orElseThrow();
        double fall = before.reward() - now.reward();
        if (fall > ERRORS * Math.max(before.error(), now.error()) && fall > LOST_SHARE * Math.abs(before.reward())) {
            return Optional.of(new Finding(String.format(Locale.ROOT, "update %d: the reward fell from %.3f to %.3f "
                    + "(means of %d updates); lower the learning rate, or hold the model to a reference (beta)", step,
                    before.reward(), now.reward(), WINDOW), true));
        }
        if (now.cut() > NEARLY_ALL && first.orElseThrow().cut() < MOST
                && now.length() > LONGER * first.orElseThrow().length()) {
            return Optional.of(new Finding(String.format(Locale.ROOT, "update %d: answers have grown from %.0f tokens "
                    + "to %.0f, and %.0f %% of them are cut at the limit; let the grader prefer short ones, or hold "
                    + "the model to a reference (beta)", step, first.orElseThrow().length(), now.length(),
                    100 * now.cut()), true));
        }
        return Optional.empty();
    }

    private Optional<Finding> equal(Means now, long step) {
        if (saidEqual || now.equal() <= MOST) {
            return Optional.empty();
        }
        saidEqual = true;
        return Optional.of(new Finding(String.format(Locale.ROOT, "update %d: in %.0f %% of the groups of the last %d "
                + "updates all answers have the same reward: these teach nothing. Use prompts that the model answers "
                + "well at times, a grader with more steps, larger groups or a higher temperature", step,
                100 * now.equal(), WINDOW), false));
    }

    private Means means() {
        double reward = mean("reward", value -> value);
        double variance = mean("reward", value -> (value - reward) * (value - reward)) * WINDOW / (WINDOW - 1);
        return new Means(reward, Math.sqrt(variance / WINDOW), mean("completions/mean_length", value -> value),
                mean("completions/clipped_ratio", value -> value), mean("frac_reward_zero_std", value -> value));
    }

    private double mean(String measure, DoubleUnaryOperator of) {
        return recent.stream().mapToDouble(measures -> of.applyAsDouble(measures.getOrDefault(measure, 0.0))).sum()
                / recent.size();
    }
}
