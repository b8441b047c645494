package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;
import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * The interval of the difference of two shares on the same items by Tango's score (Tango 1998, "Equivalence test and
 * confidence interval for the difference in proportions for the paired-sample design"): all differences {@code t} with
 * <pre>
 * |c - b - n t| &lt;= z sqrt(n (2 q + t (1 - t)))
 * </pre>
 * where q is the likeliest share of b given t, the larger root of
 * {@code 2n q^2 + (t (2n - c + b) - b - c) q - b t (1 - t) = 0}. It leaves out 0 where McNemar's test without a
 * correction for continuity is significant, {@code |c - b| > z sqrt(b + c)}. Every p-value below 0.05 of the exact test
 * belongs to a 95 % interval without 0; the other way round not: b = 0 and c = 4 has p = 0.125.
 */
@Internal
public final class TangoInterval {
    /** 2 halved so often is less than a double tells apart. */
    private static final int HALVINGS = 55;

    private final int onlyFirst;
    private final int onlySecond;
    private final int items;

    private TangoInterval(int onlyFirst, int onlySecond, int items) {
        this.onlyFirst = onlyFirst;
        this.onlySecond = onlySecond;
        this.items = items;
    }

    /**
     * The interval of {@code (c - b) / n}.
     *
     * @param onlyFirst b, items that are right in the first set only
     * @param onlySecond c, items that are right in the second set only
     * @param items n, all items, at least 1
     * @param level for instance 0.95
     * @throws IllegalArgumentException when there is no item, a count is below 0 or both exceed the items
     */
    public static Interval of(int onlyFirst, int onlySecond, int items, double level) {
        if (items < 1 || onlyFirst < 0 || onlySecond < 0 || onlyFirst > items - onlySecond) {
            throw new IllegalArgumentException("counts of " + onlyFirst + " and " + onlySecond + " of " + items
                    + " items");
        }
        double z = new NormalDistribution(null, 0, 1).inverseCumulativeProbability(0.5 + level / 2);
        // The lower end is the upper one of the difference the other way round.
        return new Interval(-new TangoInterval(onlySecond, onlyFirst, items).upper(z),
                new TangoInterval(onlyFirst, onlySecond, items).upper(z), level);
    }

    /** By halving: what lies above the estimate is inside up to the end; 1 is reached only where it is the end. */
    private double upper(double z) {
        double inside = (double) (onlySecond - onlyFirst) / items;
        double outside = 1;
        for (int step = 0; step < HALVINGS; step++) {
            double t = (inside + outside) / 2;
            if (square(items * t - onlySecond + onlyFirst) <= z * z * variance(t)) {
                inside = t;
            } else {
                outside = t;
            }
        }
        return inside;
    }

    private static double square(double value) {
        return value * value;
    }

    /** Of {@code c - b}, given that the difference is t. */
    private double variance(double t) {
        double linear = t * (2.0 * items - onlySecond + onlyFirst) - onlyFirst - onlySecond;
        double constant = onlyFirst * t * (1 - t);
        double share = (Math.sqrt(linear * linear + 8.0 * items * constant) - linear) / (4.0 * items);
        return items * (2 * share + t * (1 - t));
    }
}
