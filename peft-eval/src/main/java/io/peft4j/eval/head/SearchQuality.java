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
 * @param ranks the rank of each query's passage, from 1
 */
public record SearchQuality(int[] ranks) {
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
        int[] ranks = new int[right.length];
        for (int i = 0; i < right.length; i++) {
            float[] query = asked.get(i);
            double own = TextEmbedder.cosine(query, found.get(right[i]));
            ranks[i] = 1 + (int) found.stream().filter(passage -> TextEmbedder.cosine(query, passage) > own).count();
        }
        return new SearchQuality(ranks);
    }

    /** The gain of each query. */
    public double[] ndcg() {
        return Arrays.stream(ranks).mapToDouble(rank -> rank <= RANKS ? Math.log(2) / Math.log(rank + 1) : 0).toArray();
    }

    /** The mean of all queries. */
    public double mean() {
        return Arrays.stream(ndcg()).average().orElseThrow();
    }

    /** A 95 % interval of how much better this is than another search for the same queries. */
    public Interval gainOver(SearchQuality other) {
        double[] own = ndcg();
        double[] others = other.ndcg();
        double[] differences = new double[own.length];
        Arrays.setAll(differences, i -> own[i] - others[i]);
        return Bootstrap.defaults().ofDifferences(differences);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "nDCG at %d %.3f over %d queries", RANKS, mean(), ranks.length);
    }
}
