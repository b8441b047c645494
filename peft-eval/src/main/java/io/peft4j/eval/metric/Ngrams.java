package io.peft4j.eval.metric;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs of n tokens and how often each occurs. */
final class Ngrams {
    private Ngrams() {
    }

    /** How often each run of {@code order} tokens occurs. */
    static Map<List<String>, Integer> count(List<String> tokens, int order) {
        List<String> fixed = List.copyOf(tokens);
        Map<List<String>, Integer> counts = new HashMap<>();
        for (int i = 0; i + order <= fixed.size(); i++) {
            counts.merge(fixed.subList(i, i + order), 1, Integer::sum);
        }
        return counts;
    }

    /** The sum over all runs of the smaller of their two counts. */
    static <T> long common(Map<T, Integer> some, Map<T, Integer> others) {
        long common = 0;
        for (Map.Entry<T, Integer> entry : some.entrySet()) {
            common += Math.min(entry.getValue(), others.getOrDefault(entry.getKey(), 0));
        }
        return common;
    }

    /** The number of runs. */
    static long total(Map<?, Integer> counts) {
        return counts.values().stream().mapToLong(Integer::longValue).sum();
    }
}
