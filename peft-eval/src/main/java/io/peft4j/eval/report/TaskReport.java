package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.support.AtomicFiles;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.task.Leakage;
import java.nio.file.Path;
import java.util.Collections;
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
 * @param wrong rows that the tuned model got wrong, those first that the base had right; of numbers those farthest off
 * @param leakage held-out rows in the training data, where that was checked
 * @param facts further facts to repeat the evaluation by, in their order
 * @param curves lines that the page shows
 */
public record TaskReport(Verdict verdict, String metric, int rows, TaskArm base, TaskArm tuned,
        List<MetricResult> metrics, Map<String, List<MetricResult>> otherArms, List<WrongRow> wrong,
        Optional<Leakage> leakage, Map<String, String> facts, List<Curve> curves) {
    /**
     * A row that the tuned model got wrong.
     *
     * @param row its number in the file, from 1
     * @param text what it asks
     * @param expected what is right
     * @param base what the base said
     * @param tuned what the tuned model said
     * @param regression whether the base was right
     */
    public record WrongRow(int row, String text, String expected, String base, String tuned, boolean regression) {
    }

    /** Copies the collections. */
    public TaskReport {
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(metric, "metric");
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(tuned, "tuned");
        metrics = List.copyOf(metrics);
        otherArms = Collections.unmodifiableMap(new LinkedHashMap<>(otherArms));
        wrong = List.copyOf(wrong);
        curves = List.copyOf(curves);
        Objects.requireNonNull(leakage, "leakage");
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** The form for machines. */
    public ObjectNode toJson() {
        return TaskForms.json(this);
    }

    /** The report as Markdown. */
    public String toMarkdown() {
        return TaskForms.markdown(this);
    }

    /** The report as one HTML page that needs nothing else. */
    public String toHtml() {
        return TaskForms.page(this);
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
