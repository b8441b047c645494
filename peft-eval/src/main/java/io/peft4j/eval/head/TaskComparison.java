package io.peft4j.eval.head;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.OpenRows;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Evidence;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.comparison.VerdictRules;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.eval.task.Leakage;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether a tuned classifier, tagger, reader of passages, embedder, reranker or model of decisions is really
 * better than its
 * base, on rows that it was not trained on.
 *
 * <pre>{@code
 * TaskReport report = TaskComparison.of(base, model).on(Path.of("examples/tickets/heldout.jsonl"));
 * System.out.println(report.verdict());
 * report.writeHtml(Path.of("report.html"));
 * }</pre>
 *
 * <p>The rows are those that the model's objective learns ({@link io.peft4j.data.task.TaskRows}). A base whose head was
 * initialized says nothing: what stands for it is then what can be had without a model, such as the most
 * frequent label for every row. The report says which.
 */
public final class TaskComparison {
    private final Optional<Model> base;
    private final Model tuned;
    private final List<RowEvaluation<?>> evaluations;
    private ComparisonOptions options = ComparisonOptions.defaults();
    private Function<RowEvaluation<?>, List<?>> training = rowsOf -> List.of();
    private Optional<String> metric = Optional.empty();
    private final Map<String, String> facts = new LinkedHashMap<>();

    private TaskComparison(Optional<Model> base, Model tuned) {
        this(base.filter(model -> model.network().headed().untrained().isEmpty()), tuned, RowEvaluation.of(tuned));
    }

    private TaskComparison(Optional<Model> base, Model tuned, List<RowEvaluation<?>> evaluations) {
        this.base = base;
        this.tuned = tuned;
        this.evaluations = evaluations;
    }

    /**
     * A base model against a tuned one on typed questions, which chat models answer, too.
     *
     * @throws ConfigurationException when they were loaded for different tasks
     */
    public static TaskComparison ofDecisions(LanguageModel base, LanguageModel tuned) {
        return tuned.network().task().type() == Task.Type.DECISION ? of(base, tuned)
                : new TaskComparison(Optional.of(base), tuned, RowEvaluation.of(tuned, Task.Type.DECISION));
    }

    /**
     * A base model against a tuned one.
     *
     * @throws ConfigurationException when the tuned model has no head, or the base is for another task
     */
    public static TaskComparison of(Model base, Model tuned) {
        if (!base.network().task().equals(tuned.network().task())) {
            throw new ConfigurationException("the base was loaded for " + base.network().task().type() + " "
                    + base.network().task().labels() + ", the tuned model for " + tuned.network().task().type() + " "
                    + tuned.network().task().labels() + "; both must have the same task");
        }
        return new TaskComparison(Optional.of(base), tuned);
    }

    /**
     * A model alone, such as a merged one, against what can be had without a model.
     *
     * @throws ConfigurationException when it has no head
     */
    public static TaskComparison of(Model model) {
        return new TaskComparison(Optional.empty(), model);
    }

    /** Other statistics and thresholds. */
    public TaskComparison options(ComparisonOptions newOptions) {
        options = Objects.requireNonNull(newOptions, "options");
        return this;
    }

    /**
     * The rows that were trained on: held-out rows are looked for in them, a constant base is taken from them, and the
     * tuned model is compared with what the most similar of them says, which needs no training.
     */
    public TaskComparison trainingData(DataFile file) {
        training = rowsOf -> read(rowsOf, file);
        return this;
    }

    /** As {@link #trainingData(DataFile)}, of rows as {@link #on(List)} takes them. */
    public TaskComparison trainingData(List<?> rows) {
        training = rowsOf -> checked(rowsOf, rows);
        return this;
    }

    /** As {@link #trainingData(DataFile)}, of a file that is read as what it looks like. */
    public TaskComparison trainingData(Path file) {
        return trainingData(DataFile.of(file));
    }

    /** The metric that decides, to be chosen before the rows are seen. */
    public TaskComparison decidingMetric(String name) {
        metric = Optional.of(name);
        return this;
    }

    /** A further fact for the report, such as where the data comes from. */
    public TaskComparison fact(String name, String value) {
        facts.put(name, value);
        return this;
    }

    /**
     * Compares on the rows of a file.
     *
     * @throws io.peft4j.core.error.PeftException when a row is wrong or does not go with the model, or the deciding
     *     metric cannot be computed
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public TaskReport on(DataFile file) {
        try (OpenRows rows = OpenRows.open(file)) {
            return ofFile(evaluations.stream().filter(each -> each.kind().isOf(rows)).findFirst()
                    .orElse(evaluations.get(0)), file);
        }
    }

    private <E> TaskReport ofFile(RowEvaluation<E> evaluation, DataFile file) {
        return compare(evaluation, read(evaluation, file));
    }

    private static <E> List<E> read(RowEvaluation<E> evaluation, DataFile file) {
        try (OpenRows rows = OpenRows.open(file)) {
            try {
                return evaluation.kind().read(rows);
            } catch (DataException e) {
                if (evaluation.kind().isOf(rows)) {
                    throw e;
                }
                throw new ConfigurationException("a model for " + evaluation.task() + " is evaluated on "
                        + evaluation.kind() + "; " + e.getMessage(), e);
            }
        }
    }

    /** As {@link #on(DataFile)}, of a file that is read as what it looks like. */
    public TaskReport on(Path file) {
        return on(DataFile.of(file));
    }

    /**
     * Compares on rows.
     *
     * @param rows such as {@link io.peft4j.data.task.LabelledText} for a classifier
     * @throws io.peft4j.core.error.PeftException as the other
     */
    public TaskReport on(List<?> rows) {
        return ofRows(of(rows), rows);
    }

    /**
     * Those of these rows that do not stand in the training data in the same words.
     *
     * @throws io.peft4j.core.error.PeftException as {@link #on(List)}
     */
    public List<?> unknown(List<?> rows) {
        return unknown(of(rows), rows);
    }

    private RowEvaluation<?> of(List<?> rows) {
        return evaluations.stream().filter(each -> !rows.isEmpty() && each.row().isInstance(rows.get(0)))
                .findFirst().orElse(evaluations.get(0));
    }

    private <E> List<E> unknown(RowEvaluation<E> rowsOf, List<?> rows) {
        List<E> heldOut = checked(rowsOf, rows);
        Set<Integer> known = leakage(rowsOf, heldOut, trained(rowsOf)).pairs().stream().map(Leakage.Pair::item)
                .collect(Collectors.toSet());
        return IntStream.range(0, heldOut.size()).filter(i -> !known.contains(i)).mapToObj(heldOut::get).toList();
    }

    private static <E> Leakage leakage(RowEvaluation<E> rowsOf, List<E> heldOut, List<E> trained) {
        return Leakage.ofTexts(heldOut.stream().map(rowsOf::text).toList(), trained.stream().map(rowsOf::text)
                .toList());
    }

    private <E> List<E> trained(RowEvaluation<E> rowsOf) {
        return training.apply(rowsOf).stream().map(rowsOf.row()::cast).toList();
    }

    private <E> TaskReport ofRows(RowEvaluation<E> rowsOf, List<?> rows) {
        return compare(rowsOf, checked(rowsOf, rows));
    }

    private <E> TaskReport compare(RowEvaluation<E> rowsOf, List<E> heldOut) {
        List<E> trained = trained(rowsOf);
        Findings found = rowsOf.evaluate(new RowEvaluation.Compared(base, tuned, options), heldOut, trained);
        String deciding = metric.orElse(found.metric());
        List<MetricResult> results = found.results(deciding);
        MetricResult decider = results.stream().filter(result -> result.name().equals(deciding)).findFirst()
                .orElseThrow(() -> new ConfigurationException("the metric " + deciding + " is not available for "
                        + "these rows; available are " + results.stream().map(MetricResult::name).toList()));
        Optional<Leakage> leakage = trained.isEmpty() ? Optional.empty()
                : Optional.of(leakage(rowsOf, heldOut, trained));
        RowEvaluation.Seen seen = rowsOf.seen(tuned, heldOut);
        int leaked = leakage.map(Leakage::count).orElse(0);
        Verdict verdict = new VerdictRules(options).decide(Evidence.ofHead(decider, results.stream()
                .filter(result -> result != decider).toList(), seen.calibrated())
                .withLeaked(Math.max(seen.trained(), leaked), leaked == 0 ? "" : leakage.get().words())
                .withUntrained(found.untrained().flatMap(arm -> arm.by(deciding)).stream().toList()));
        Map<String, List<MetricResult>> others = found.untrained()
                .map(arm -> Map.of(arm.name(), arm.gain().results(deciding))).orElse(Map.of());
        return new TaskReport(verdict.saying("The base " + found.baseline() + "."), deciding, heldOut.size(),
                found.baseArm(), found.tunedArm(), results, others, found.answers(), leakage, facts(trained.size()),
                found.curves());
    }

    private static <E> List<E> checked(RowEvaluation<E> rowsOf, List<?> rows) {
        if (rows.isEmpty() || !rows.stream().allMatch(rowsOf.row()::isInstance)) {
            throw new ConfigurationException("a model for " + rowsOf.task() + " is evaluated on rows of "
                    + rowsOf.row().getSimpleName() + ", at least one; got " + (rows.isEmpty() ? "none"
                            : rows.get(0).getClass().getSimpleName()));
        }
        return rows.stream().map(rowsOf.row()::cast).toList();
    }

    private Map<String, String> facts(int trained) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("model", tuned.network().description().summary());
        all.put("task", tuned.network().task().type().toString());
        all.put("kernels", tuned.engine().name());
        if (trained > 0) {
            all.put("training rows", Integer.toString(trained));
        }
        all.putAll(facts);
        all.put("statistics", options.describe());
        return all;
    }
}
