package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.TextPair;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A search for the positive of each anchor among all positives and negatives of the rows: nDCG of the first ten, the
 * share that comes first, the mean reciprocal rank, and the share among the first five.
 */
@Internal
public final class SearchEvaluation implements RowEvaluation<TextPair> {
    @Override
    public Task.Type task() {
        return Task.Type.FEATURE_EXTRACTION;
    }

    @Override
    public RowKind<TextPair> kind() {
        return RowKind.PAIRS;
    }

    @Override
    public Class<TextPair> row() {
        return TextPair.class;
    }

    @Override
    public String text(TextPair row) {
        return row.anchor();
    }

    @Override
    public Findings evaluate(Compared models, List<TextPair> rows, List<TextPair> training) {
        Model base = models.base().orElseThrow(() -> new ConfigurationException("vectors are compared with "
                + "those of the base model; pass it too"));
        Set<String> distinct = new LinkedHashSet<>(rows.stream().map(TextPair::positive).toList());
        rows.forEach(row -> distinct.addAll(row.negatives()));
        List<String> passages = List.copyOf(distinct);
        List<String> queries = rows.stream().map(TextPair::anchor).toList();
        int[] right = rows.stream().mapToInt(row -> passages.indexOf(row.positive())).toArray();
        int[] ofBase = SearchQuality.of(base, queries, passages, right).ranks();
        int[] ofTuned = SearchQuality.of(models.tuned(), queries, passages, right).ranks();
        RankingQuality before = ranking(ofBase, passages.size());
        RankingQuality after = ranking(ofTuned, passages.size());
        PairedMeasures measures = RankingEvaluation.compared(models, before, after);
        return new Findings("ndcg_at_10", "is the base model as it is", measures, Findings.Classes.NONE,
                Findings.Classes.NONE, Rows.answers(before.first(), after.first(), i -> new String[] {queries.get(i),
                    rows.get(i).positive(), "rank " + ofBase[i], "rank " + ofTuned[i]}),
                Optional.empty());
    }

    /** One relevant passage a query, at its rank. */
    private static RankingQuality ranking(int[] ranks, int passages) {
        return new RankingQuality(Arrays.stream(ranks).mapToObj(rank -> {
            double[] relevance = new double[passages];
            relevance[rank - 1] = 1;
            return relevance;
        }).toList());
    }
}
