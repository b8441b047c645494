package io.peft4j.advise;

import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.Resampled;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.EvaluationItem;
import java.util.List;
import java.util.stream.IntStream;

/** Scores answers item by item, by the metric that decides elsewhere, too. */
final class Scoring {
    private static final double LEVEL = 0.95;
    private static final String OVERLAP = "token_f1";

    private final List<EvaluationItem> items;
    private final String metric;

    Scoring(List<EvaluationItem> items) {
        this.items = items;
        this.metric = new AnswerScoring(items).decidingMetric();
    }

    String metric() {
        return metric;
    }

    /** The score of each answer, from 0 to 1. */
    List<Double> of(List<String> answers) {
        return IntStream.range(0, items.size()).mapToObj(i -> of(items.get(i), answers.get(i))).toList();
    }

    private double of(EvaluationItem item, String answer) {
        if (metric.equals(OVERLAP) && !item.references().isEmpty()) {
            return new AnswerScoring(List.of(item)).scores(List.of(answer)).get(OVERLAP);
        }
        return item.isAnsweredBy(answer) ? 1 : 0;
    }

    static double mean(List<Double> scores) {
        return scores.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /** The interval of a mean: Wilson's where all scores are 0 or 1, else BCa. */
    static Interval interval(List<Double> scores) {
        double mean = mean(scores);
        if (scores.stream().allMatch(score -> score == 0 || score == 1)) {
            return Interval.ofShare(mean, scores.size(), LEVEL);
        }
        return Bootstrap.defaults().of(Resampled.mean(array(scores)));
    }

    /** The interval of the mean difference of two ways on the same items. */
    static Interval difference(List<Double> first, List<Double> second) {
        return Bootstrap.defaults().ofDifferences(IntStream.range(0, first.size())
                .mapToDouble(i -> second.get(i) - first.get(i)).toArray());
    }

    private static double[] array(List<Double> scores) {
        return scores.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
