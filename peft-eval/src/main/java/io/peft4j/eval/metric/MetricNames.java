package io.peft4j.eval.metric;

import java.util.Map;

/** How metrics and tests are called in texts for people; results keep their keys. */
public final class MetricNames {
    private static final Map<String, String> NAMES = Map.ofEntries(Map.entry("contains", "holds the fact"),
            Map.entry("exact_match", "exact match"), Map.entry("token_f1", "token F1"), Map.entry("rouge1", "ROUGE-1"),
            Map.entry("rouge2", "ROUGE-2"), Map.entry("rougeL", "ROUGE-L"), Map.entry("bleu", "BLEU"),
            Map.entry("chrf", "chrF"), Map.entry("guard", "kinds that count"),
            Map.entry("guard_practised", "practised kinds"), Map.entry("mcnemar_exact", "McNemar, exact"),
            Map.entry("approximate_randomization", "randomization"),
            Map.entry("format", "format kept"), Map.entry("fields", "right fields"),
            Map.entry("tool_call", "right call, or none"), Map.entry("tool_made", "called where needed"),
            Map.entry("tool_function", "right function"), Map.entry("tool_arguments", "right arguments"),
            Map.entry("tool_spared", "not called where not needed"), Map.entry("refusal", "refuses as expected"),
            Map.entry("new_known", "changed: new answer"), Map.entry("old_gone", "changed: not the former answer"),
            Map.entry("unchanged_right", "unchanged: right"), Map.entry("acc", "right choice"),
            Map.entry("acc_norm", "right choice, norm."),
            Map.entry("judge_score", "judge's points"), Map.entry("judge_preferred", "judge prefers"),
            Map.entry("embedding_similarity", "embedding similarity"), Map.entry("reward", "grader's reward"),
            Map.entry("macro_f1", "macro F1"),
            Map.entry("micro_f1", "micro F1"), Map.entry("mcc", "Matthews' correlation"),
            Map.entry("entity_f1", "entity F1"), Map.entry("entity_precision", "entity precision"),
            Map.entry("entity_recall", "entity recall"), Map.entry("r2", "R squared"),
            Map.entry("mse", "mean squared error"), Map.entry("pearson", "Pearson's correlation"),
            Map.entry("spearman", "Spearman's correlation"), Map.entry("ndcg_at_10", "nDCG at 10"),
            Map.entry("accuracy_at_1", "first is right"), Map.entry("mrr", "mean reciprocal rank"),
            Map.entry("recall_at_5", "found among the first 5"),
            Map.entry("over_most_frequent", "accuracy, base: most frequent option"),
            Map.entry("log_likelihood", "log-likelihood"), Map.entry("nll", "negative log-likelihood"),
            Map.entry("brier", "Brier score"), Map.entry("signed_gap", "confidence less accuracy"),
            Map.entry("ece", "calibration error"), Map.entry("ece_equal_mass", "calibration error, equal mass"),
            Map.entry("aurc", "risk over coverage"),
            Map.entry("brier_over_most_frequent", "Brier score, base: most frequent option"),
            Map.entry("aurc_over_most_frequent", "risk over coverage, base: most frequent option"),
            Map.entry("order_flips", "changed by the order of options"),
            Map.entry("wording_flips", "changed by another wording"));

    private MetricNames() {
    }

    /** The usual spelling of a metric or test: {@code token F1} for {@code token_f1}. Others go by their key. */
    public static String of(String key) {
        return NAMES.getOrDefault(key, key);
    }
}
