package io.peft4j.eval.statistics;

import io.peft4j.core.Internal;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.BinomialDistribution;
import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * Tests whether two sets of outcomes on the same items differ. All are two-sided, and their p-values equal those of
 * SciPy and statsmodels.
 */
@Internal
public final class PairedTests {
    /** Signs of up to so many differences are all tried out, of more a sample. */
    private static final int EXACT_SIGNS = 16;
    private static final int EXACT_RANKS = 50;
    private static final int EXACT_TIED_RANKS = 13;

    private PairedTests() {
    }

    /**
     * McNemar's exact test for yes/no outcomes: {@code min(1, 2 P(X <= min(b, c)))}, X binomial with b + c tries of
     * 1/2. Only the items that were right once and wrong once count.
     *
     * @param onlyFirst b, items that are right in the first set only
     * @param onlySecond c, items that are right in the second set only
     * @return p
     */
    public static double mcNemar(int onlyFirst, int onlySecond) {
        if (onlyFirst < 0 || onlySecond < 0) {
            throw new IllegalArgumentException("counts of " + onlyFirst + " and " + onlySecond);
        }
        int tries = onlyFirst + onlySecond;
        if (tries == 0) {
            return 1;
        }
        double tail = new BinomialDistribution(null, tries, 0.5).cumulativeProbability(Math.min(onlyFirst, onlySecond));
        return Math.min(1, 2 * tail);
    }

    /**
     * The permutation test of the mean difference: each difference may as well have had the other sign. With up to 16
     * differences other than 0 all signs are tried; else {@code (c + 1) / (draws + 1)} for c draws that are as far from
     * 0.
     *
     * @param draws number of draws, where not all are tried
     * @param seed seed of the draws
     */
    public static double permutation(double[] differences, int draws, long seed) {
        double[] d = nonZero(differences);
        double observed = Math.abs(Arrays.stream(d).sum());
        double tie = 1e-12 * Arrays.stream(d).map(Math::abs).sum();
        if (d.length == 0) {
            return 1;
        }
        if (d.length <= EXACT_SIGNS) {
            long far = IntStream.range(0, 1 << d.length).filter(signs -> {
                double sum = 0;
                for (int i = 0; i < d.length; i++) {
                    sum += (signs >> i & 1) == 0 ? d[i] : -d[i];
                }
                return Math.abs(sum) >= observed - tie;
            }).count();
            return (double) far / (1 << d.length);
        }
        SplittableRandom random = new SplittableRandom(seed);
        int far = 0;
        for (int b = 0; b < draws; b++) {
            double sum = 0;
            long bits = 0;
            for (int i = 0; i < d.length; i++) {
                bits = (i & 63) == 0 ? random.nextLong() : bits >>> 1;
                sum += (bits & 1) == 0 ? d[i] : -d[i];
            }
            far += Math.abs(sum) >= observed - tie ? 1 : 0;
        }
        return (far + 1.0) / (draws + 1.0);
    }

    /**
     * Wilcoxon's signed-rank test, differences of 0 left out: exact for up to 50 differences that are all different and
     * not 0, and for up to 13 of any kind; else by the normal distribution with the variance corrected for ties and no
     * correction for continuity.
     */
    public static double wilcoxon(double[] differences) {
        double[] d = nonZero(differences);
        int n = d.length;
        if (n == 0) {
            return 1;
        }
        Integer[] order = IntStream.range(0, n).boxed().toArray(Integer[]::new);
        Arrays.sort(order, (i, j) -> Double.compare(Math.abs(d[i]), Math.abs(d[j])));
        int[] doubledRanks = new int[n];
        int positive = 0;
        double ties = 0;
        for (int from = 0; from < n;) {
            int to = from;
            while (to < n && Math.abs(d[order[to]]) == Math.abs(d[order[from]])) {
                to++;
            }
            for (int i = from; i < to; i++) {
                doubledRanks[i] = from + 1 + to;
                positive += d[order[i]] > 0 ? doubledRanks[i] : 0;
            }
            double t = to - from;
            ties += t * t * t - t;
            from = to;
        }
        int all = n * (n + 1);
        int smaller = Math.min(positive, all - positive);
        boolean plain = ties == 0 && n == differences.length;
        if (differences.length <= (plain ? EXACT_RANKS : EXACT_TIED_RANKS)) {
            return Math.min(1, 2 * shareOfRankSums(doubledRanks, smaller));
        }
        double variance = n * (n + 1.0) * (2 * n + 1) / 24 - ties / 48;
        double z = (smaller - all / 2.0) / 2 / Math.sqrt(variance);
        return Math.min(1, 2 * new NormalDistribution(null, 0, 1).cumulativeProbability(z));
    }

    /** The share of all signs of the ranks whose positive ranks sum to at most {@code limit}. */
    private static double shareOfRankSums(int[] ranks, int limit) {
        double[] shares = new double[limit + 1];
        shares[0] = 1;
        for (int rank : ranks) {
            for (int sum = limit; sum >= 0; sum--) {
                shares[sum] = (shares[sum] + (sum >= rank ? shares[sum - rank] : 0)) / 2;
            }
        }
        return Arrays.stream(shares).sum();
    }

    private static double[] nonZero(double[] differences) {
        for (double difference : differences) {
            if (!Double.isFinite(difference)) {
                throw new IllegalArgumentException("a difference is " + difference);
            }
        }
        return Arrays.stream(differences).filter(d -> d != 0).toArray();
    }
}
