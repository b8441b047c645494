package io.peft4j.eval.metric.internal;

import java.util.List;
import java.util.function.ToDoubleBiFunction;

/** The metrics of answers against reference texts. */
public final class TextMetrics {
    private static final Rouge ROUGE = new Rouge();

    private TextMetrics() {
    }

    /** {@code exact_match, token_f1, rouge1, rouge2, rougeL, rougeLsum}: those that score each answer, from 0 to 1. */
    public static List<AnswerMetric> answerMetrics() {
        return List.of(new Best("exact_match", true, (answer, text) -> SquadScores.exactMatch(answer, text) ? 1 : 0),
                new Best("token_f1", false, SquadScores::f1),
                new Best("rouge1", false, (answer, text) -> ROUGE.ngram(1, answer, text).f1()),
                new Best("rouge2", false, (answer, text) -> ROUGE.ngram(2, answer, text).f1()),
                new Best("rougeL", false, (answer, text) -> ROUGE.longestCommon(answer, text).f1()),
                new Best("rougeLsum", false, (answer, text) -> ROUGE.summary(answer, text).f1()));
    }

    /** {@code bleu, chrf}: those that score a whole set, from 0 to 100. */
    public static List<CorpusMetric> corpusMetrics() {
        return List.of(new Bleu(), new Chrf());
    }

    /** The best score over the references. */
    private record Best(String name, boolean isBinary, ToDoubleBiFunction<String, String> one)
            implements
                AnswerMetric {
        @Override
        public double score(String prediction, List<String> references) {
            return references.stream().mapToDouble(reference -> one.applyAsDouble(prediction, reference)).max()
                    .orElseThrow(() -> new IllegalArgumentException(name + " needs at least one reference"));
        }
    }
}
