package io.peft4j.eval.report;

import io.peft4j.eval.comparison.MetricResult;
import java.util.Locale;
import java.util.Map;

/** How numbers are written for people. */
final class NumberFormats {
    private static final Map<String, String> NAMES = Map.ofEntries(Map.entry("contains", "holds the fact"),
            Map.entry("exact_match", "exact match"), Map.entry("token_f1", "token F1"), Map.entry("rouge1", "ROUGE-1"),
            Map.entry("rouge2", "ROUGE-2"), Map.entry("rougeL", "ROUGE-L"), Map.entry("bleu", "BLEU"),
            Map.entry("chrf", "chrF"), Map.entry("guard", "all"), Map.entry("mcnemar_exact", "McNemar, exact"),
            Map.entry("approximate_randomization", "randomization"),
            Map.entry("format", "keeps to the form"), Map.entry("refusal", "refuses as expected"),
            Map.entry("acc", "right choice"), Map.entry("acc_norm", "right choice, norm."),
            Map.entry("judge_score", "judge's points"), Map.entry("judge_preferred", "judge prefers"),
            Map.entry("embedding_similarity", "embedding similarity"), Map.entry("macro_f1", "macro F1"),
            Map.entry("micro_f1", "micro F1"), Map.entry("mcc", "Matthews' correlation"),
            Map.entry("entity_f1", "entity F1"), Map.entry("entity_precision", "entity precision"),
            Map.entry("entity_recall", "entity recall"), Map.entry("r2", "R squared"),
            Map.entry("mse", "mean squared error"), Map.entry("pearson", "Pearson's correlation"),
            Map.entry("spearman", "Spearman's correlation"), Map.entry("ndcg_at_10", "nDCG@10"),
            Map.entry("accuracy_at_1", "first is right"), Map.entry("mrr", "mean reciprocal rank"));

    private NumberFormats() {
    }

    /** The usual spelling of a metric or test. */
    static String name(String key) {
        return NAMES.getOrDefault(key, key);
    }

    /** A score: percent, or points of 100. */
    static String score(MetricResult metric, double value) {
        return String.format(Locale.ROOT, metric.scale() == 1 ? "%.1f %%" : "%.1f", 100 / metric.scale() * value);
    }

    /** A difference in points, with its sign. */
    static String points(MetricResult metric, double value) {
        return String.format(Locale.ROOT, "%+.1f", 100 / metric.scale() * value);
    }

    /** {@code [+66.1, +84.9]}. */
    static String interval(MetricResult metric) {
        return "[" + points(metric, metric.interval().low()) + ", " + points(metric, metric.interval().high()) + "]";
    }

    /** {@code < 0.0001} or two digits. */
    static String p(double value) {
        return value < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "%.2g", value);
    }
}
