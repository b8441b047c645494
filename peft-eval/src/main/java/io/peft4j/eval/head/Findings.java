package io.peft4j.eval.head;

import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.Curve;
import io.peft4j.eval.report.TaskArm;
import io.peft4j.eval.report.TaskArm.ClassScore;
import io.peft4j.eval.report.TaskReport.RowAnswer;
import io.peft4j.eval.task.Classification;
import java.util.List;
import java.util.Optional;

/**
 * What an evaluation found of rows.
 *
 * @param metric the metric that decides where no other is asked for
 * @param baseline what the base is, as the end of a sentence
 * @param measures the scores
 * @param base classes and confusion of the base
 * @param tuned the same of the tuned model
 * @param answers what was said of the rows, in their order
 * @param curves lines that the page shows
 * @param untrained what else can be had without training
 */
record Findings(String metric, String baseline, PairedMeasures measures, Classes base, Classes tuned,
        List<RowAnswer> answers, List<Curve> curves, Optional<Untrained> untrained) {
    /** Findings without curves. */
    Findings(String metric, String baseline, PairedMeasures measures, Classes base, Classes tuned,
            List<RowAnswer> answers, Optional<Untrained> untrained) {
        this(metric, baseline, measures, base, tuned, answers, List.of(), untrained);
    }

    /**
     * What needs no training.
     *
     * @param name the arm
     * @param description what it is, as a part of a sentence
     * @param gain the base against it
     * @param tuned it against the tuned model
     */
    public record Untrained(String name, String description, PairedMeasures gain, PairedMeasures tuned) {
        /** What the most similar training row says. */
        static Untrained lookup(PairedMeasures gain, PairedMeasures tuned) {
            return new Untrained(Verdict.LOOKUP, "the most similar training row", gain, tuned);
        }

        /** What a verdict compares by one metric, where it was measured. */
        public Optional<Verdict.Untrained> by(String metric) {
            return named(gain.results(metric), metric).flatMap(first -> named(tuned.results(metric), metric)
                    .map(second -> new Verdict.Untrained(name, description, first, second)));
        }

        private static Optional<MetricResult> named(List<MetricResult> results, String metric) {
            return results.stream().filter(result -> result.name().equals(metric)).findFirst();
        }
    }

    /**
     * Scores by class and who was taken for whom.
     *
     * @param scores by class
     * @param confusion where each row, or word, has one class
     */
    record Classes(List<ClassScore> scores, Optional<Classification> confusion) {
        /** Of rows without classes. */
        static final Classes NONE = new Classes(List.of(), Optional.empty());
    }

    /** What was compared, with p-values of all but the metric that decides corrected for their number. */
    public List<MetricResult> results(String deciding) {
        return measures.results(deciding);
    }

    /** The base as the report shows it. */
    public TaskArm baseArm() {
        return new TaskArm("base", baseline, measures.base(), base.scores(), base.confusion());
    }

    /** The tuned model as the report shows it. */
    public TaskArm tunedArm() {
        return new TaskArm("tuned", "the tuned model", measures.tuned(), tuned.scores(), tuned.confusion());
    }
}
