package io.peft4j.eval.statistics;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.DoubleFunction;
import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * A confidence interval.
 *
 * @param low its lower end
 * @param high its upper end
 * @param level how often such intervals hold the true value, for instance 0.95
 */
public record Interval(double low, double high, double level) {
    /** Shown instead of an interval that says nothing. */
    public static final String TOO_FEW = "too few rows";
    /** An interval that holds more than this share of the possible range says nothing. */
    private static final double MOST = 2 / 3.0;

    /** Refuses ends that are not numbers or in the wrong order. */
    public Interval {
        if (!(low <= high) || !(level > 0 && level < 1)) {
            throw new IllegalArgumentException("invalid interval: from " + low + " to " + high + " at " + level);
        }
    }

    /**
     * Wilson's interval of a share of right answers. Of a mean of scores from 0 to 1 it is at least as wide as need be.
     *
     * @param share from 0 to 1
     * @param items number of answers, at least 1
     */
    public static Interval ofShare(double share, int items, double level) {
        double z = new NormalDistribution(null, 0, 1).inverseCumulativeProbability(0.5 + level / 2);
        double spread = 1 + z * z / items;
        double middle = (share + z * z / (2 * items)) / spread;
        double half = z / spread * Math.sqrt(share * (1 - share) / items + z * z / (4.0 * items * items));
        return new Interval(Math.max(0, middle - half), Math.min(1, middle + half), level);
    }

    /**
     * Whether it leaves nearly everything possible, as that of very few rows does.
     *
     * @param range how far apart the least and the largest possible value are; infinite where there are no such
     */
    public boolean saysNothing(double range) {
        return high - low > MOST * range;
    }

    /** {@code [low, high]}, or that there are too few rows where it {@linkplain #saysNothing says nothing}. */
    public String words(double range, DoubleFunction<String> number) {
        return saysNothing(range) ? "(" + TOO_FEW + ")" : "[" + number.apply(low) + ", " + number.apply(high) + "]";
    }

    /** Puts {@code NAME_low} and {@code NAME_high}; they are null, and {@code NAME} says why, where it says nothing. */
    public void putInto(ObjectNode node, String name, double range) {
        if (saysNothing(range)) {
            node.putNull(name + "_low").putNull(name + "_high").put(name, TOO_FEW);
        } else {
            node.put(name + "_low", low).put(name + "_high", high);
        }
    }

    /** Whether {@code value} lies in it, ends included. */
    public boolean contains(double value) {
        return low <= value && value <= high;
    }

    /**
     * The standard deviation of a single item that an interval of the mean of so many items with this width stands for:
     * {@code (high - low) / (2 z) sqrt(n)}. Above 0 also where no two of few items differ.
     */
    public double deviation(int items) {
        double z = new NormalDistribution(null, 0, 1).inverseCumulativeProbability(0.5 + level / 2);
        return (high - low) / (2 * z) * Math.sqrt(items);
    }

    /** The smallest interval that holds both; its level is this one's. */
    Interval spanning(Interval other) {
        return new Interval(Math.min(low, other.low), Math.max(high, other.high), level);
    }
}
