package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Holm's step-down correction for many tests (Holm 1979): the chance of any false positive stays below alpha. */
@Internal
public final class Holm {
    private Holm() {
    }

    /**
     * Adjusted p-values, in the order of the given ones: of m sorted values
     * {@code p'(i) = max over j <= i of min(1, (m - j + 1) p(j))}.
     */
    public static double[] adjust(double[] pValues) {
        int m = pValues.length;
        int[] order = IntStream.range(0, m).boxed()
                .sorted((i, j) -> Double.compare(pValues[i], pValues[j])).mapToInt(Integer::intValue).toArray();
        double[] adjusted = new double[m];
        double largest = 0;
        for (int j = 0; j < m; j++) {
            double p = pValues[order[j]];
            if (!(p >= 0 && p <= 1)) {
                throw new IllegalArgumentException("not a p-value: " + Arrays.toString(pValues));
            }
            largest = Math.max(largest, Math.min(1, (m - j) * p));
            adjusted[order[j]] = largest;
        }
        return adjusted;
    }
}
