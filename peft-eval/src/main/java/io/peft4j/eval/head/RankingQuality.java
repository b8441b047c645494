package io.peft4j.eval.head;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.task.RankedQuery;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How well texts were ordered for queries, by how relevant they are.
 *
 * @param relevance for each query the relevance of its texts, that of the first one first
 */
record RankingQuality(List<double[]> relevance) {
    /** The ranks that the gain is measured over. */
    public static final int GAIN_RANKS = 10;
    /** The ranks that the share of found texts is measured over. */
    public static final int FOUND_RANKS = 5;

    /** Copies the list. */
    public RankingQuality {
        relevance = List.copyOf(relevance);
    }

    /**
     * The order by scores; of texts with one score the less relevant come first.
     *
     * @param scores for each query those of its texts, in their order
     * @throws ConfigurationException when there is no query, or one without a relevant text; says which
     */
    public static RankingQuality of(List<RankedQuery> queries, List<double[]> scores) {
        if (queries.isEmpty() || queries.size() != scores.size()) {
            throw new ConfigurationException("a ranking needs scores for each query, and at least one; got "
                    + scores.size() + " for " + queries.size());
        }
        List<double[]> ordered = new ArrayList<>();
        for (int i = 0; i < queries.size(); i++) {
            List<Double> own = queries.get(i).relevance();
            double[] score = scores.get(i);
            if (own.stream().noneMatch(value -> value > 0)) {
                throw new ConfigurationException("row " + (i + 1) + " has no text that is relevant to its query \""
                        + queries.get(i).query() + "\"; leave it out");
            }
            ordered.add(IntStream.range(0, score.length).boxed().sorted(Comparator
                    .comparingDouble((Integer j) -> -score[j]).thenComparing(own::get)).mapToDouble(own::get)
                    .toArray());
        }
        return new RankingQuality(ordered);
    }

    /**
     * The normalized discounted cumulative gain of each query: the sum over the first {@value #GAIN_RANKS} texts of
     * {@code relevance / log2(rank + 1)}, divided by that of the best order.
     */
    public double[] ndcg() {
        return relevance.stream().mapToDouble(own -> {
            double[] best = own.clone();
            Arrays.sort(best);
            return gain(own) / gain(IntStream.range(0, best.length).mapToDouble(i -> best[best.length - 1 - i])
                    .toArray());
        }).toArray();
    }

    private static double gain(double... own) {
        return IntStream.range(0, Math.min(GAIN_RANKS, own.length))
                .mapToDouble(i -> own[i] * Math.log(2) / Math.log(i + 2)).sum();
    }

    /** One over the rank of each query's first relevant text. */
    public double[] reciprocalRanks() {
        return relevance.stream().mapToDouble(own -> 1.0 / (1 + IntStream.range(0, own.length)
                .filter(i -> own[i] > 0).findFirst().orElseThrow())).toArray();
    }

    /** The share of each query's relevant texts that are among the first {@value #FOUND_RANKS}. */
    public double[] recall() {
        return relevance.stream().mapToDouble(own -> (double) Arrays.stream(own).limit(FOUND_RANKS)
                .filter(value -> value > 0).count() / Arrays.stream(own).filter(value -> value > 0).count()).toArray();
    }

    /** Whether each query's first text is relevant. */
    public boolean[] first() {
        boolean[] first = new boolean[relevance.size()];
        for (int i = 0; i < first.length; i++) {
            first[i] = relevance.get(i)[0] > 0;
        }
        return first;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "nDCG at %d %.3f over %d queries", GAIN_RANKS,
                Arrays.stream(ndcg()).average().orElseThrow(), relevance.size());
    }
}
