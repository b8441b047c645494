package io.peft4j.train;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** Means of what an objective measures besides its loss. */
final class Measures {
    private final Map<String, double[]> sums = new TreeMap<>();

    void add(String name, double sum, long count) {
        double[] both = sums.computeIfAbsent(name, key -> new double[2]);
        both[0] += sum;
        both[1] += count;
    }

    /** The means, by name; what has no value is not there. */
    Map<String, Double> means() {
        Map<String, Double> means = new TreeMap<>();
        sums.forEach((name, both) -> {
            if (both[1] > 0) {
                means.put(name, both[0] / both[1]);
            }
        });
        return Collections.unmodifiableMap(means);
    }
}
