package io.peft4j.train;

import io.peft4j.core.Internal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * Warns while a training runs of what is most likely not meant, each kind once, with the update and what to try: no
 * gradient, a loss that jumps, one that does not move, one that is far above its beginning, and what
 * {@link RewardWatch} finds.
 */
@Internal(shared = true)
public final class TrainingGuards implements TrainingListener {
    /** Losses that a new one is held against. */
    private static final int WINDOW = 20;
    /** Updates after which a loss should have moved. */
    private static final int PATIENCE = 100;
    private static final double SPIKE_DEVIATIONS = 8;
    private static final double FLAT = 1e-3;
    private static final double FAR_ABOVE = 1.5;

    private final Consumer<String> warnings;
    private final RewardWatch rewards = new RewardWatch();
    private final Deque<Double> recent = new ArrayDeque<>();
    private OptionalDouble beginning = OptionalDouble.empty();
    private boolean saidZero;
    private boolean saidSpike;
    private boolean saidFlat;
    private boolean saidHigh;

    /** @param warnings gets each warning */
    public TrainingGuards(Consumer<String> warnings) {
        this.warnings = warnings;
    }

    @Override
    public void onStep(StepMetrics step) {
        rewards.onStep(step).ifPresent(found -> warnings.accept(found.text()));
        if (step.gradNorm() == 0 && !saidZero) {
            saidZero = true;
            warnings.accept("update " + step.step() + ": all gradients are 0, so nothing is learned from its batch; "
                    + (step.measures().containsKey("reward") ? "use prompts and a grader with which the answers to a "
                            + "prompt get different rewards"
                            : "check that the examples have answers, and that the adapter's scaling is not 0"));
        }
        if (recent.size() == WINDOW) {
            // Losses of rewards go round 0, where no loss is far above another.
            if (beginning.orElse(0) > 0 && recent.stream().allMatch(loss -> loss > 0)) {
                watch(step);
            }
            recent.removeFirst();
        }
        recent.addLast(step.trainLoss());
        if (beginning.isEmpty() && recent.size() == WINDOW) {
            beginning = OptionalDouble.of(mean());
        }
    }

    private void watch(StepMetrics step) {
        double mean = mean();
        double deviation = Math.sqrt(recent.stream().mapToDouble(loss -> (loss - mean) * (loss - mean)).sum() / WINDOW);
        if (!saidSpike && step.trainLoss() > mean + SPIKE_DEVIATIONS * deviation && step.trainLoss() > 2 * mean) {
            saidSpike = true;
            warnings.accept(String.format(Locale.ROOT, "update %d: the loss jumped to %.4f from about %.4f; "
                    + "look at the examples of its batch, or clip gradients (max_grad_norm) and lower the learning "
                    + "rate",
                    step.step(), step.trainLoss(), mean));
        }
        double first = beginning.orElseThrow();
        if (!saidHigh && mean > FAR_ABOVE * first) {
            saidHigh = true;
            warnings.accept(String.format(Locale.ROOT, "update %d: the loss is about %.4f and began at about "
                    + "%.4f; the learning rate (%.1e now) is most likely too high", step.step(), mean, first,
                    step.learningRate()));
        }
        if (!saidFlat && step.step() >= PATIENCE && Math.abs(mean - first) < FLAT * first) {
            saidFlat = true;
            warnings.accept(String.format(Locale.ROOT, "update %d: the loss has not moved from %.4f since the "
                    + "beginning; the learning rate (%.1e now) is most likely too low, or the targets of the adapter "
                    + "are too few", step.step(), first, step.learningRate()));
        }
    }

    private double mean() {
        return recent.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }
}
