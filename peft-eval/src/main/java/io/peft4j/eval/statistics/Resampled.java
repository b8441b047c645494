package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;

/** A statistic of a set of items that can be computed of any choice of them. */
@Internal(shared = true)
public interface Resampled {
    /** The number of items. */
    int size();

    /** The statistic of the items at these places; a place may occur more than once. */
    double of(int[] places);

    /** The statistic of all items. */
    double ofAll();

    /** The statistic of all items but one. */
    double without(int place);

    /** The mean of values. */
    static Resampled mean(double[] values) {
        double[] fixed = values.clone();
        double sum = 0;
        for (double value : fixed) {
            sum += value;
        }
        double total = sum;
        return new Resampled() {
            @Override
            public int size() {
                return fixed.length;
            }

            @Override
            public double of(int[] places) {
                double part = 0;
                for (int place : places) {
                    part += fixed[place];
                }
                return part / places.length;
            }

            @Override
            public double ofAll() {
                return total / fixed.length;
            }

            @Override
            public double without(int place) {
                return (total - fixed[place]) / (fixed.length - 1);
            }
        };
    }
}
