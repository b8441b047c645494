package io.peft4j.eval.head.internal;

import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.report.Curve;
import io.peft4j.eval.report.TaskArm;
import io.peft4j.eval.report.TaskArm.ClassScore;
import io.peft4j.eval.report.TaskReport.WrongRow;
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
 * @param wrong rows that the tuned model got wrong, in their order
 * @param curves lines that the page shows
 */
public record Findings(String metric, String baseline, PairedMeasures measures, Classes base, Classes tuned,
        List<WrongRow> wrong, List<Curve> curves) {
    /** Findings without curves. */
    Findings(String metric, String baseline, PairedMeasures measures, Classes base, Classes tuned,
            List<WrongRow> wrong) {
        this(metric, baseline, measures, base, tuned, wrong, List.of());
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

    /** What was compared, with p-values corrected for all of it. */
    public List<MetricResult> results() {
        return measures.results();
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
