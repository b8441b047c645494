package io.peft4j.eval.head;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How well a search by vectors finds the right passage: the normalized discounted cumulative gain of the first ten
 * passages. With one right passage it is {@code 1 / log2(rank + 1)}, and 0 behind the tenth rank.
 *
 * @param ndcg the gain of each query
 */
public record SearchQuality(double[] ndcg) {
    private static final int RANKS = 10;

    /**
     * Searches.
     *
     * @param model a model that makes vectors of texts
     * @param queries what is searched for
     * @param passages what is searched in, each once
     * @param right for each query the number of its passage
     * @throws ConfigurationException when there is no query, or a number is not a passage's
     */
    public static SearchQuality of(Model model, List<String> queries, List<String> passages, int... right) {
        if (queries.isEmpty() || queries.size() != right.length
                || Arrays.stream(right).anyMatch(passage -> passage < 0 || passage >= passages.size())) {
            throw new ConfigurationException("a search needs a passage for each query; got " + right.length
                    + " of them for " + queries.size() + " queries, and " + passages.size() + " passages");
        }
        TextEmbedder embedder = new TextEmbedder(model);
        List<float[]> found = embedder.embed(passages);
        List<float[]> asked = embedder.embed(queries);
        double[] ndcg = new double[right.length];
        for (int i = 0; i < right.length; i++) {
            float[] query = asked.get(i);
            double own = TextEmbedder.cosine(query, found.get(right[i]));
            long before = found.stream().filter(passage -> TextEmbedder.cosine(query, passage) > own).count();
            ndcg[i] = before < RANKS ? Math.log(2) / Math.log(before + 2) : 0;
        }
        return new SearchQuality(ndcg);
    }

    /** The mean of all queries. */
    public double mean() {
        return Arrays.stream(ndcg).average().orElseThrow();
    }

    /** A 95 % interval of how much better this is than another search for the same queries. */
    public Interval gainOver(SearchQuality other) {
        double[] differences = new double[ndcg.length];
        Arrays.setAll(differences, i -> ndcg[i] - other.ndcg[i]);
        return Bootstrap.defaults().ofDifferences(differences);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "nDCG@%d %.3f over %d queries", RANKS, mean(), ndcg.length);
    }
}
