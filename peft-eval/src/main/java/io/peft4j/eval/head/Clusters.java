package io.peft4j.eval.head;

import io.peft4j.eval.statistics.Resampled;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Items that are drawn together, since what is said of one says something of the others, such as the questions of one
 * row: a cluster bootstrap. Taken one by one they would make intervals too narrow.
 *
 * @param places the places of the items of each cluster; none where each item stands for itself
 */
record Clusters(List<int[]> places) {
    /** Each item stands for itself. */
    static final Clusters NONE = new Clusters(List.of());

    /** Items of the same row belong together. */
    static Clusters ofRows(int... rows) {
        Map<Integer, int[]> places = new LinkedHashMap<>();
        IntStream.range(0, rows.length).forEach(i -> places.merge(rows[i], new int[] {i}, Clusters::joined));
        return places.size() == rows.length ? NONE : new Clusters(List.copyOf(places.values()));
    }

    private static int[] joined(int[] some, int[] more) {
        return IntStream.concat(IntStream.of(some), IntStream.of(more)).toArray();
    }

    boolean isNone() {
        return places.isEmpty();
    }

    /** Sums of clusters, scaled to the mean of all items: {@code s C / n}; for tests that flip their signs. */
    double[] sums(double[] items) {
        return isNone() ? items : places.stream().mapToDouble(cluster -> sum(cluster, items) * places.size()
                / items.length).toArray();
    }

    /**
     * Values of clusters whose mean is that of all items and spreads as it does when clusters are drawn, where their
     * sizes differ, too: {@code m + (s - m k) C / n} with the mean m, and the sum s of k items.
     */
    double[] values(double[] items) {
        if (isNone()) {
            return items;
        }
        double mean = Arrays.stream(items).average().orElseThrow();
        return places.stream().mapToDouble(cluster -> mean + (sum(cluster, items) - mean * cluster.length)
                * places.size() / items.length).toArray();
    }

    private static double sum(int[] cluster, double[] items) {
        return IntStream.of(cluster).mapToDouble(place -> items[place]).sum();
    }

    /** All items of clusters. */
    int[] expanded(int... clusters) {
        return isNone() ? clusters : IntStream.of(clusters).flatMap(cluster -> IntStream.of(places.get(cluster)))
                .toArray();
    }

    /** For each item what is said of its cluster. */
    boolean[] expanded(boolean... clusters) {
        if (isNone()) {
            return clusters;
        }
        boolean[] items = new boolean[places.stream().mapToInt(cluster -> cluster.length).sum()];
        IntStream.range(0, clusters.length)
                .forEach(c -> IntStream.of(places.get(c)).forEach(i -> items[i] = clusters[c]));
        return items;
    }

    /** A statistic of items as one of clusters. */
    Resampled of(Resampled items) {
        return isNone() ? items : new Resampled() {
            @Override
            public int size() {
                return places.size();
            }

            @Override
            public double of(int[] clusters) {
                return items.of(expanded(clusters));
            }

            @Override
            public double ofAll() {
                return items.ofAll();
            }

            @Override
            public double without(int cluster) {
                return of(IntStream.range(0, size()).filter(i -> i != cluster).toArray());
            }
        };
    }
}
