package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.task.Leakage;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A tuned model with a head against its base on held-out rows: the verdict and everything behind it. The same models,
 * rows and seed give the same report.
 *
 * @param verdict what to do
 * @param metric name of the metric that decided
 * @param rows number of held-out rows
 * @param base the base
 * @param tuned the tuned model
 * @param metrics base against tuned, the metrics that are compared
 * @param otherArms the base against what else needs no training, such as the most similar training row, by its name
 * @param answers what was said of the rows; of numbers the closest and those farthest off
 * @param leakage held-out rows in the training data, where that was checked
 * @param facts further facts to repeat the evaluation by, in their order
 * @param curves lines that the page shows
 */
public record TaskReport(Verdict verdict, String metric, int rows, TaskArm base, TaskArm tuned,
        List<MetricResult> metrics, Map<String, List<MetricResult>> otherArms, List<RowAnswer> answers,
        Optional<Leakage> leakage, Map<String, String> facts, @Internal List<Curve> curves) {
    /**
     * A row and what was said of it.
     *
     * @param row its number in the file, from 1
     * @param text what it asks
     * @param expected what is right
     * @param base what the base said
     * @param tuned what the tuned model said
     * @param baseRight whether the base was right; of numbers never
     * @param tunedRight whether the tuned model was right; of numbers whether it is one of the closest
     */
    public record RowAnswer(int row, String text, String expected, String base, String tuned, boolean baseRight,
            boolean tunedRight) {
    }

    /** Copies the collections. */
    public TaskReport {
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(metric, "metric");
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(tuned, "tuned");
        metrics = List.copyOf(metrics);
        otherArms = Collections.unmodifiableMap(new LinkedHashMap<>(otherArms));
        answers = List.copyOf(answers);
        curves = List.copyOf(curves);
        Objects.requireNonNull(leakage, "leakage");
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** Rows that the tuned model got wrong, those first that the base had right; of numbers those farthest off. */
    public List<RowAnswer> wrong() {
        return answers.stream().filter(row -> !row.tunedRight()).sorted(Comparator.comparing(row -> !row.baseRight()))
                .toList();
    }

    /** The form for machines. */
    public ObjectNode toJson() {
        return ReportJson.of(this);
    }

    /** The report as Markdown. */
    public String toMarkdown() {
        return TaskDocument.of(this).markdown();
    }

    /** The report as one HTML page that needs nothing else. */
    public String toHtml() {
        return TaskDocument.of(this).html();
    }

    /**
     * Writes the HTML page.
     *
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public void writeHtml(Path file) {
        AtomicFiles.writeString(file, toHtml());
    }
}
