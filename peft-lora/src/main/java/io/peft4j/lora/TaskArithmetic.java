package io.peft4j.lora;

import io.peft4j.lora.CombinationType.Pruning;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Weighted sums of arrays, some values of which are dropped first; sums in double. */
final class TaskArithmetic {
    private final CombinationType type;
    private final double density;
    private final WeightedCombination.MajoritySign majority;
    private final WeightedCombination.DropMask mask;

    TaskArithmetic(CombinationType type, double density, WeightedCombination.MajoritySign majority,
            WeightedCombination.DropMask mask) {
        this.type = type;
        this.density = density;
        this.majority = majority;
        this.mask = mask;
    }

    /** Combines arrays of equal length. */
    double[] combine(List<double[]> arrays, double[] weights) {
        List<double[]> pruned = new ArrayList<>();
        arrays.forEach(array -> pruned.add(prune(array)));
        return type.electsSign() ? disjointSum(pruned, weights) : sum(pruned, weights);
    }

    private double[] prune(double[] values) {
        if (density >= 1 || type.pruning() == Pruning.NONE) {
            return values;
        }
        return type.pruning() == Pruning.MAGNITUDE ? largest(values) : drawn(values);
    }

    /** The largest {@code (int) (density * length)} values, of equal ones the first; the rest is 0. */
    private double[] largest(double[] values) {
        int kept = (int) (density * values.length);
        double[] result = new double[values.length];
        if (kept == 0) {
            return result;
        }
        for (int i = 0; i < values.length; i++) {
            result[i] = Math.abs(values[i]);
        }
        Arrays.sort(result);
        double smallest = result[values.length - kept];
        int equal = 0;
        for (int i = values.length - kept; i < values.length && result[i] == smallest; i++) {
            equal++;
        }
        for (int i = 0; i < values.length; i++) {
            double size = Math.abs(values[i]);
            result[i] = size > smallest || size == smallest && equal-- > 0 ? values[i] : 0;
        }
        return result;
    }

    private double[] drawn(double[] values) {
        boolean[] kept = mask.draw(values.length, density);
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = kept[i] ? values[i] / density : 0;
        }
        return result;
    }

    private static double[] sum(List<double[]> arrays, double[] weights) {
        double[] sum = new double[arrays.get(0).length];
        for (int a = 0; a < weights.length; a++) {
            double[] values = arrays.get(a);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += weights[a] * values[i];
            }
        }
        return sum;
    }

    /** The mean of the weighted values that have the majority's sign; the sign is elected without the weights. */
    private double[] disjointSum(List<double[]> arrays, double[] weights) {
        double[] mean = new double[arrays.get(0).length];
        for (int i = 0; i < mean.length; i++) {
            int place = i;
            double votes = arrays.stream()
                    .mapToDouble(values -> majority == WeightedCombination.MajoritySign.TOTAL ? values[place]
                            : Math.signum(values[place]))
                    .sum();
            double sign = votes >= 0 ? 1 : -1;
            int agreeing = 0;
            for (int a = 0; a < weights.length; a++) {
                double value = arrays.get(a)[i];
                if (Math.signum(value) == sign) {
                    mean[i] += weights[a] * value;
                    agreeing++;
                }
            }
            mean[i] /= Math.max(1, agreeing);
        }
        return mean;
    }
}
