package io.peft4j.report.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * An axis: from where to where it goes, and the round numbers that stand beside it.
 *
 * @param least its beginning
 * @param most its end
 * @param isLogarithmic whether equal factors are equally far apart, rather than equal differences
 * @param step the distance of its numbers, which says how many digits they need
 * @param ticks its numbers
 */
record AxisScale(double least, double most, boolean isLogarithmic, double step, List<Double> ticks) {
    private static final int INTERVALS = 5;
    private static final int MOST_TICKS = 7;
    private static final double[] ROUND = {1, 2, 5, 10};

    /** An axis that ends at round numbers. */
    static AxisScale rounded(double least, double most) {
        double margin = margin(least, most);
        double step = step((most - least + 2 * margin) / INTERVALS);
        double from = Math.floor((least - margin) / step);
        double to = Math.ceil((most + margin) / step);
        return new AxisScale(from * step, to * step, false, step, multiples(step, from, to));
    }

    /** An axis that ends where the values do. */
    static AxisScale exact(double least, double most, int intervals) {
        double margin = margin(least, most);
        // What is counted has no halves.
        double step = Math.max(1, step((most - least + 2 * margin) / intervals));
        return new AxisScale(least - margin, most + margin, false, step,
                multiples(step, Math.ceil(least / step), Math.floor(most / step)));
    }

    /** An axis of powers for positive values. */
    static AxisScale logarithmic(double least, double most) {
        List<Double> ticks = new ArrayList<>();
        int from = (int) Math.floor(Math.log10(least));
        int to = (int) Math.ceil(Math.log10(most));
        int each = Math.max(1, (to - from) / INTERVALS);
        for (int power = from; power <= to; power += each) {
            ticks.add(Math.pow(10, power));
        }
        double end = Math.max(most, ticks.get(ticks.size() - 1));
        return new AxisScale(Math.pow(10, from), end, true, ticks.get(0), ticks);
    }

    /** What is added on both sides where all values are the same, or differ by rounding only. */
    private static double margin(double least, double most) {
        double size = Math.max(Math.abs(least), Math.abs(most));
        return most - least > 1e-9 * size ? 0 : size == 0 ? 1 : size / 10;
    }

    /** The round number that is not below a distance. */
    private static double step(double distance) {
        double power = Math.pow(10, Math.floor(Math.log10(distance)));
        return power * DoubleStream.of(ROUND).filter(round -> round * power >= distance * (1 - 1e-9)).findFirst()
                .orElse(10);
    }

    private static List<Double> multiples(double step, double from, double to) {
        List<Double> ticks = new ArrayList<>();
        for (int i = 0; i <= Math.min(to - from, MOST_TICKS); i++) {
            ticks.add((from + i) * step);
        }
        return ticks;
    }

    /** Where a value lies: 0 at the beginning, 1 at the end. */
    double share(double value) {
        return isLogarithmic ? (Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least))
                : (value - least) / (most - least);
    }

    /** A number beside the axis. */
    String text(double value) {
        return isLogarithmic ? Numbers.shown(value) : Numbers.rounded(value, step);
    }
}
