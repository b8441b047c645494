package io.peft4j.eval.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.metric.AnswerMetric;
import io.peft4j.eval.metric.CorpusMetric;
import io.peft4j.eval.metric.TextMetrics;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Scores two sets of answers to the same items by all metrics that the items allow: {@code contains} (the answer holds
 * the facts, or a reference where an item names none), and over the items with references {@code exact_match},
 * {@code token_f1}, {@code rouge1}, {@code rouge2}, {@code rougeL} (from 0 to 1), {@code bleu} and {@code chrf} (from 0
 * to 100).
 */
public final class AnswerScoring {
    private static final List<String> LEFT_OUT = List.of("rougeLsum");

    private final List<EvaluationItem> items;
    private final int[] withReference;

    /**
     * A scoring of these items.
     *
     * @throws ConfigurationException when there is none
     */
    public AnswerScoring(List<EvaluationItem> items) {
        this.items = List.copyOf(items);
        if (this.items.isEmpty()) {
            throw new ConfigurationException("there is no item to evaluate on");
        }
        this.withReference = IntStream.range(0, items.size()).filter(i -> !items.get(i).references().isEmpty())
                .toArray();
    }

    /** The metric that decides where none is chosen: {@code contains} where an item names facts, else token F1. */
    public String decidingMetric() {
        return items.stream().anyMatch(item -> !item.mustContain().isEmpty()) ? "contains" : "token_f1";
    }

    /**
     * Compares two sets of answers.
     *
     * @throws ConfigurationException when a set does not have one answer for each item
     */
    public List<MetricResult> compare(List<String> base, List<String> tuned, ComparisonOptions options) {
        check(base);
        check(tuned);
        PairedOutcomes outcomes = new PairedOutcomes(options).yesNo("contains", right(base), right(tuned));
        if (withReference.length == 0) {
            return outcomes.results();
        }
        for (AnswerMetric metric : answerMetrics()) {
            double[] first = scores(metric, base);
            double[] second = scores(metric, tuned);
            if (metric.isBinary()) {
                outcomes.yesNo(metric.name(), yes(first), yes(second));
            } else {
                outcomes.scores(metric.name(), first, second);
            }
        }
        for (CorpusMetric metric : TextMetrics.corpusMetrics()) {
            outcomes.corpus(metric, statistics(metric, base), statistics(metric, tuned));
        }
        return outcomes.results();
    }

    /** The scores of one set of answers alone. */
    public Map<String, Double> scores(List<String> answers) {
        check(answers);
        Map<String, Double> scores = new LinkedHashMap<>();
        boolean[] right = right(answers);
        scores.put("contains", IntStream.range(0, right.length).filter(i -> right[i]).count() / (double) right.length);
        if (withReference.length > 0) {
            for (AnswerMetric metric : answerMetrics()) {
                scores.put(metric.name(), Arrays.stream(scores(metric, answers)).average().orElseThrow());
            }
            for (CorpusMetric metric : TextMetrics.corpusMetrics()) {
                List<String> some = IntStream.of(withReference).mapToObj(answers::get).toList();
                scores.put(metric.name(), metric.corpus(some, references()));
            }
        }
        return scores;
    }

    /** How BLEU and chrF were computed, in sacreBLEU's form; empty without references. */
    public Map<String, String> signatures() {
        Map<String, String> signatures = new LinkedHashMap<>();
        int most = references().stream().mapToInt(List::size).max().orElse(0);
        if (most > 0) {
            TextMetrics.corpusMetrics().forEach(metric -> signatures.put(metric.name(), metric.signature(most)));
        }
        return signatures;
    }

    private static List<AnswerMetric> answerMetrics() {
        // Answers are mostly one line, for which Lsum is L.
        return TextMetrics.answerMetrics().stream().filter(metric -> !LEFT_OUT.contains(metric.name())).toList();
    }

    private void check(List<String> answers) {
        if (answers.size() != items.size() || answers.stream().anyMatch(Objects::isNull)) {
            throw new ConfigurationException(answers.size() + " answers to " + items.size()
                    + " items; there must be one text for each");
        }
    }

    /** Which answers are right. */
    public boolean[] right(List<String> answers) {
        boolean[] right = new boolean[items.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = items.get(i).isAnsweredBy(answers.get(i));
        }
        return right;
    }

    private static boolean[] yes(double[] scores) {
        boolean[] yes = new boolean[scores.length];
        for (int i = 0; i < yes.length; i++) {
            yes[i] = scores[i] == 1;
        }
        return yes;
    }

    private double[] scores(AnswerMetric metric, List<String> answers) {
        return IntStream.of(withReference).mapToDouble(i -> metric.score(answers.get(i), items.get(i).references()))
                .toArray();
    }

    private List<List<String>> references() {
        return IntStream.of(withReference).mapToObj(i -> items.get(i).references()).toList();
    }

    private List<double[]> statistics(CorpusMetric metric, List<String> answers) {
        return IntStream.of(withReference).mapToObj(i -> metric.statistics(answers.get(i), items.get(i).references()))
                .toList();
    }
}
