package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.eval.task.EvaluationItem;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How near answers are to their references: the cosine of their embeddings, the best reference counting, below 0 as 0.
 * Items are embedded some at a time, and what a server fails to embed has no score and is counted.
 */
@Internal
public final class Similarity {
    /** The name of the metric. */
    public static final String METRIC = "embedding_similarity";
    private static final int ITEMS = 32;

    private final Embedder embedder;
    private int scored;
    private int failed;
    private final List<String> troubles = new ArrayList<>();

    /** By these embeddings. */
    public Similarity(Embedder embedder) {
        this.embedder = embedder;
    }

    /**
     * One score for each answer; none where the item has no reference, or the server failed.
     *
     * @param items the items
     * @param answers one for each
     */
    public List<OptionalDouble> of(List<EvaluationItem> items, List<String> answers) {
        List<OptionalDouble> scores = new ArrayList<>();
        for (int from = 0; from < items.size(); from += ITEMS) {
            int to = Math.min(items.size(), from + ITEMS);
            scores.addAll(some(items.subList(from, to), answers.subList(from, to)));
        }
        return scores;
    }

    private List<OptionalDouble> some(List<EvaluationItem> items, List<String> answers) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            if (!items.get(i).references().isEmpty()) {
                texts.add(answers.get(i));
                texts.addAll(items.get(i).references());
            }
        }
        if (texts.isEmpty()) {
            return Collections.nCopies(items.size(), OptionalDouble.empty());
        }
        List<float[]> vectors;
        try {
            vectors = embedder.embed(texts);
        } catch (UncheckedIOException e) {
            failed += (int) items.stream().filter(item -> !item.references().isEmpty()).count();
            troubles.add(e.getMessage());
            return Collections.nCopies(items.size(), OptionalDouble.empty());
        }
        List<OptionalDouble> scores = new ArrayList<>();
        int at = 0;
        for (EvaluationItem item : items) {
            int references = item.references().size();
            if (references == 0) {
                scores.add(OptionalDouble.empty());
                continue;
            }
            double best = 0;
            for (int k = 1; k <= references; k++) {
                best = Math.max(best, cosine(vectors.get(at), vectors.get(at + k)));
            }
            at += references + 1;
            scored++;
            scores.add(OptionalDouble.of(best));
        }
        return scores;
    }

    /** The cosine of two vectors, at most 1; 0 where one of them is 0. */
    public static double cosine(float[] a, float[] b) {
        return Math.min(1, TextEmbedder.cosine(a, b));
    }

    /** What was scored so far, and what failed. */
    public JudgeReport report() {
        return new JudgeReport(embedder.name(), List.of(new JudgeReport.Count(METRIC, scored, failed, 0, 0)),
                troubles);
    }
}
