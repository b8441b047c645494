package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * How the learning rate moves over a training: a linear rise from 0 over the warm-up steps, then one of these. The
 * factors are those of Transformers' schedules of the same names: step {@code s} counts from 0, {@code w} warm-up
 * steps, {@code n} steps in all, {@code p = (s - w) / (n - w)}.
 */
public final class LearningRateSchedule {
    /** Stays at 1. */
    public static final LearningRateSchedule CONSTANT = new LearningRateSchedule("constant", (s, w, n) -> 1, 0);
    /** Falls in a straight line: {@code 1 - p}. */
    public static final LearningRateSchedule LINEAR = new LearningRateSchedule("linear",
            (s, w, n) -> 1 - progress(s, w, n));
    /** Falls along half a cosine: {@code (1 + cos(pi p)) / 2}. */
    public static final LearningRateSchedule COSINE = new LearningRateSchedule("cosine",
            (s, w, n) -> halfCosine(progress(s, w, n)));

    private static final String RESTARTS = "cosine-with-restarts";
    private static final String POLYNOMIAL = "polynomial";
    private static final String STABLE = "warmup-stable-decay";
    private static final List<String> NAMES = List.of("constant", "linear", "cosine", RESTARTS, POLYNOMIAL, STABLE);
    private static final double DEFAULT_DECAY_SHARE = 0.3;
    /**
     * {@link #warmupStableDecay} with {@value #DEFAULT_DECAY_SHARE}: facts are learned one after the other, and a rate
     * that falls from the start leaves too little for the last ones.
     */
    public static final LearningRateSchedule DEFAULT = warmupStableDecay(DEFAULT_DECAY_SHARE);

    private final String text;
    private final Decay decay;
    /** The share of all steps at the end over which it falls, 1 where it falls all the time. */
    private final double share;

    private LearningRateSchedule(String text, Decay decay) {
        this(text, decay, 1);
    }

    private LearningRateSchedule(String text, Decay decay, double share) {
        this.text = text;
        this.decay = decay;
        this.share = share;
    }

    /** The factor after the warm-up. */
    @FunctionalInterface
    private interface Decay {
        double factor(long step, long warmupSteps, long totalSteps);
    }

    private static double progress(long step, long warmupSteps, long totalSteps) {
        return Math.min(1, (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    }

    private static double halfCosine(double progress) {
        return 0.5 * (1 + Math.cos(Math.PI * progress));
    }

    /**
     * Rises from a share of the learning rate to all of it by the same factor each step: a range test's way through
     * all rates.
     */
    static LearningRateSchedule ramp(double first) {
        return new LearningRateSchedule("ramp=" + first,
                (s, w, n) -> Math.pow(first, 1 - (double) s / Math.max(1, n - 1)));
    }

    /**
     * Falls along half a cosine several times, each time from 1 again: {@code (1 + cos(pi (cycles p mod 1))) / 2}.
     *
     * @param cycles how often; with 1 it is {@link #COSINE}
     * @throws ConfigurationException when that is less than once
     */
    public static LearningRateSchedule cosineWithRestarts(int cycles) {
        require(cycles >= 1, RESTARTS, cycles, "the number of cycles, at least 1");
        return new LearningRateSchedule(RESTARTS + "=" + cycles, (s, w, n) -> {
            double progress = progress(s, w, n);
            return progress >= 1 ? 0 : halfCosine(cycles * progress % 1);
        });
    }

    /**
     * Falls along a power to a share of itself: {@code (1 - end) (1 - p)^power + end}. Transformers gives the end as a
     * learning rate, and not as a share of the highest.
     *
     * @param power 1 is a straight line; above it falls faster at first
     * @param end the last factor, from 0 to below 1
     * @throws ConfigurationException when a number is out of range
     */
    public static LearningRateSchedule polynomial(double power, double end) {
        require(power > 0 && Double.isFinite(power), POLYNOMIAL, power, "the power, above 0");
        require(end >= 0 && end < 1, POLYNOMIAL, end, "the last factor, from 0 to below 1");
        return new LearningRateSchedule(POLYNOMIAL + "=" + power + (end == 0 ? "" : "," + end),
                (s, w, n) -> (1 - end) * Math.pow(1 - progress(s, w, n), power) + end);
    }

    /**
     * Stays at 1, then falls along half a cosine over the last steps.
     *
     * @param share the share of all steps over which it falls, above 0 and at most 1
     * @throws ConfigurationException when it is out of range
     */
    public static LearningRateSchedule warmupStableDecay(double share) {
        require(share > 0 && share <= 1, STABLE, share, "the share of all steps that decay, above 0 and at most 1");
        return new LearningRateSchedule(STABLE + "=" + share, (s, w, n) -> {
            long begin = Math.max(w, stableSteps(n, share));
            return s < begin ? 1 : halfCosine(Math.min(1, (double) (s - begin) / Math.max(1, n - begin)));
        }, share);
    }

    private static long stableSteps(long totalSteps, double share) {
        return totalSteps - Math.max(1, Math.round(share * totalSteps));
    }

    /** Whether the rate stays the same after the warm-up, so that a training can end whenever that is wanted. */
    public boolean isStable() {
        return share < 1;
    }

    /**
     * How many steps a training has that falls from this one on, and has the same shape as all others of the schedule.
     *
     * @param step the first step of the fall, from 0
     * @param warmupSteps steps of the rise, during which nothing falls
     * @return empty where the schedule falls all the time
     */
    public OptionalLong totalFrom(long step, long warmupSteps) {
        if (share == 0 || share == 1) {
            return share == 0 ? OptionalLong.of(step) : OptionalLong.empty();
        }
        long begin = Math.max(1, Math.max(step, warmupSteps));
        long total = Math.max(begin + 1, (long) ((begin - 1) / (1 - share)));
        while (stableSteps(total, share) < begin) {
            total++;
        }
        return OptionalLong.of(total);
    }

    private static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException("the schedule " + name + " has the value " + value + "; it must be "
                    + allowed);
        }
    }

    /**
     * The factor on the learning rate at a step.
     *
     * @param step step, from 0
     * @param warmupSteps steps of the rise; the first of them has the factor 0
     * @param totalSteps steps in all
     */
    public double factor(long step, long warmupSteps, long totalSteps) {
        return step < warmupSteps ? (double) step / warmupSteps
                : Math.max(0, decay.factor(step, warmupSteps, totalSteps));
    }

    /**
     * The schedule of a name, with its number where it has one: {@code linear}, {@code cosine-with-restarts=3} (cycles,
     * default 1), {@code polynomial=2} (power, default 1) or {@code polynomial=2,0.1} (and the last factor, default 0),
     * {@code warmup-stable-decay=0.2} (share of the steps that decay, default 0.3). {@link #toString} gives it back.
     *
     * @throws ConfigurationException when there is none of that name, or its number is none
     */
    public static LearningRateSchedule named(String text) {
        int sign = text.indexOf('=');
        String name = (sign < 0 ? text : text.substring(0, sign)).toLowerCase(Locale.ROOT).replace('_', '-');
        String[] values = sign < 0 ? new String[0] : text.substring(sign + 1).split(",", -1);
        if (!NAMES.contains(name)) {
            throw new ConfigurationException("unknown schedule '" + text + "'; use one of " + NAMES);
        }
        int most = switch (name) {
            case RESTARTS, STABLE -> 1;
            case POLYNOMIAL -> 2;
            default -> 0;
        };
        if (values.length > most) {
            throw new ConfigurationException("the schedule " + name + " has " + (most == 0 ? "no value" : "at most "
                    + most + " values") + ", got '" + text + "'");
        }
        return switch (name) {
            case "constant" -> CONSTANT;
            case "linear" -> LINEAR;
            case "cosine" -> COSINE;
            case RESTARTS -> cosineWithRestarts((int) number(text, values, 0, 1));
            case POLYNOMIAL -> polynomial(number(text, values, 0, 1), number(text, values, 1, 0));
            default -> warmupStableDecay(number(text, values, 0, DEFAULT_DECAY_SHARE));
        };
    }

    private static double number(String text, String[] values, int place, double fallback) {
        try {
            return place < values.length ? Double.parseDouble(values[place]) : fallback;
        } catch (NumberFormatException e) {
            throw new ConfigurationException("the schedule '" + text + "' has the value '" + values[place]
                    + "', which is no number", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LearningRateSchedule schedule && schedule.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** Its name, as {@link #named} reads it. */
    @Override
    public String toString() {
        return text;
    }
}
