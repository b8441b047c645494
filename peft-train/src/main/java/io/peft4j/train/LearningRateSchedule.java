package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.Locale;

/**
 * How the learning rate moves over a training: a linear rise from 0 over the warm-up steps, then one of these. The
 * factors are those of Transformers' schedules of the same names: step {@code s} counts from 0, {@code w} warm-up
 * steps, {@code n} steps in all, {@code p = (s - w) / (n - w)}.
 */
public enum LearningRateSchedule {
    /** Stays at 1. */
    CONSTANT {
        @Override
        double decay(double progress) {
            return 1;
        }
    },
    /** Falls in a straight line: {@code 1 - p}. */
    LINEAR {
        @Override
        double decay(double progress) {
            return 1 - progress;
        }
    },
    /** Falls along half a cosine: {@code (1 + cos(pi p)) / 2}. */
    COSINE {
        @Override
        double decay(double progress) {
            return 0.5 * (1 + Math.cos(Math.PI * progress));
        }
    };

    abstract double decay(double progress);

    /**
     * The factor on the learning rate at a step.
     *
     * @param step step, from 0
     * @param warmupSteps steps of the rise; the first of them has the factor 0
     * @param totalSteps steps in all
     */
    public double factor(long step, long warmupSteps, long totalSteps) {
        if (step < warmupSteps) {
            return (double) step / warmupSteps;
        }
        double progress = (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
        return Math.max(0, decay(Math.min(1, progress)));
    }

    /**
     * The schedule of a name such as {@code linear}.
     *
     * @throws ConfigurationException when there is none
     */
    public static LearningRateSchedule named(String name) {
        for (LearningRateSchedule schedule : values()) {
            if (schedule.name().equalsIgnoreCase(name)) {
                return schedule;
            }
        }
        throw new ConfigurationException("unknown schedule '" + name + "'; use one of "
                + Arrays.toString(values()).toLowerCase(Locale.ROOT));
    }
}
