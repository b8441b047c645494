package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.Reranker;
import io.peft4j.data.near.PassageIndex;
import io.peft4j.data.task.RankedQuery;
import io.peft4j.data.task.RowKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The order that a reranker gives the texts of a query: nDCG of the first ten, the share of queries with a relevant
 * text first, the mean reciprocal rank, and the share of relevant texts among the first five. For a base without a
 * trained head it is the order by words (BM25 over the texts of the query).
 */
@Internal
public final class RankingEvaluation implements RowEvaluation<RankedQuery> {
    @Override
    public Task.Type task() {
        return Task.Type.SEQ_CLS;
    }

    @Override
    public boolean fits(Task task) {
        return Reranker.isFor(task);
    }

    /** Texts with a label each are left to {@link TextEvaluation}. */
    @Override
    public RowKind<RankedQuery> kind() {
        return new RowKind<>(RowKind.RANKINGS.words(), RowKind.RANKINGS.form(), fields -> RowKind.RANKINGS.isOf(fields)
                && !fields.containsKey("text_pair"), RowKind.RANKINGS::read);
    }

    @Override
    public Class<RankedQuery> row() {
        return RankedQuery.class;
    }

    @Override
    public String text(RankedQuery row) {
        return row.query();
    }

    @Override
    public Findings evaluate(Compared models, List<RankedQuery> rows, List<RankedQuery> training) {
        List<double[]> tunedScores = scores(models.tuned(), rows);
        List<double[]> baseScores = models.base().map(model -> scores(model, rows)).orElseGet(() -> rows.stream()
                .map(RankingEvaluation::byWords).toList());
        RankingQuality base = RankingQuality.of(rows, baseScores);
        RankingQuality tuned = RankingQuality.of(rows, tunedScores);
        PairedMeasures measures = compared(models, base, tuned);
        Optional<Findings.Untrained> words = models.base().map(model -> {
            RankingQuality found = RankingQuality.of(rows, rows.stream().map(RankingEvaluation::byWords).toList());
            return new Findings.Untrained("words", "the order by the words of the query (BM25)",
                    compared(models, base, found), compared(models, found, tuned));
        });
        return new Findings("ndcg_at_10", models.base().isPresent() ? "is the base model with its own head"
                : "is the order by the words of the query (BM25)", measures, Findings.Classes.NONE,
                Findings.Classes.NONE, Rows.answers(base.first(), tuned.first(), i -> new String[] {rows.get(i).query(),
                    best(rows.get(i), rows.get(i).relevance().stream().mapToDouble(Double::doubleValue).toArray()),
                    best(rows.get(i), baseScores.get(i)), best(rows.get(i), tunedScores.get(i))}),
                words);
    }

    static PairedMeasures compared(Compared models, RankingQuality first, RankingQuality second) {
        PairedMeasures measures = new PairedMeasures(models.options());
        measures.scores("ndcg_at_10", first.ndcg(), second.ndcg());
        measures.yesNo("accuracy_at_1", first.first(), second.first());
        measures.means("mrr", first.reciprocalRanks(), second.reciprocalRanks());
        measures.means("recall_at_5", first.recall(), second.recall());
        return measures;
    }

    private static List<double[]> scores(Model model, List<RankedQuery> rows) {
        Reranker reranker = new Reranker(model);
        return rows.stream().map(row -> reranker.scores(row.query(), row.texts())).toList();
    }

    /** Texts without any of the words are all alike. */
    private static double[] byWords(RankedQuery row) {
        List<String> found = new ArrayList<>(PassageIndex.of(row.texts()).best(row.query(), row.texts().size()));
        return row.texts().stream().mapToDouble(text -> found.contains(text) ? found.size() - found.indexOf(text) : 0)
                .toArray();
    }

    private static String best(RankedQuery row, double... scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            best = scores[i] > scores[best] ? i : best;
        }
        return row.texts().get(best);
    }
}
