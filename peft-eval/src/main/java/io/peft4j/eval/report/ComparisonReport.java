package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Evidence;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.NumberFormats;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.comparison.VerdictRules;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.judge.JudgeReport;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Leakage;
import io.peft4j.eval.task.NextEdition;
import io.peft4j.eval.task.PairedScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A tuned model against its base on held-out items: the verdict and everything behind it. The same answers and the same
 * seed give the same report, but for the time that it names.
 *
 * @param verdict what to do
 * @param metric name of the metric that decided
 * @param items the held-out items
 * @param arms who answered; the first is the base, the last the tuned model, others stand between
 * @param metrics base against tuned, all metrics
 * @param otherArms each arm between against the base, all metrics, by the arm's name
 * @param guard the guard set, where it was run
 * @param leakage held-out items in the training data, where that was checked
 * @param failures what tuned got wrong
 * @param opinions what became of the questions to a judge and an embedding model
 * @param study what trainings of other sizes and seeds reached
 * @param signatures how BLEU and chrF were computed
 * @param facts further facts to repeat the evaluation by: versions, seeds, data; in their order
 */
public record ComparisonReport(Verdict verdict, String metric, List<EvaluationItem> items, List<ArmResult> arms,
        List<MetricResult> metrics, Map<String, List<MetricResult>> otherArms, Optional<GuardReport> guard,
        Optional<Leakage> leakage, FailureReport failures, @Internal List<JudgeReport> opinions,
        Optional<TrainingStudy> study, Map<String, String> signatures, Map<String, String> facts) {
    /** Copies the collections. */
    public ComparisonReport {
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(metric, "metric");
        items = List.copyOf(items);
        arms = List.copyOf(arms);
        metrics = List.copyOf(metrics);
        otherArms = Collections.unmodifiableMap(new LinkedHashMap<>(otherArms));
        Objects.requireNonNull(guard, "guard");
        Objects.requireNonNull(leakage, "leakage");
        Objects.requireNonNull(failures, "failures");
        opinions = List.copyOf(opinions);
        Objects.requireNonNull(study, "study");
        signatures = Collections.unmodifiableMap(new LinkedHashMap<>(signatures));
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /**
     * What an evaluation measured, and what its statistics follow from.
     *
     * @param items the held-out items
     * @param arms who answered: the base first, the tuned model last; no two of one name
     * @param scores what a judge and others say of base and an arm, by the arm's name
     * @param metric the metric that decides; empty for {@link AnswerScoring#decidingMetric}
     * @param guard the guard set, where it was run
     * @param leakage held-out items in the training data, where that was checked
     * @param trainingQuestions what the training examples ask, empty where they are not known
     * @param opinions what became of the questions to a judge and an embedding model
     * @param study what trainings of other sizes and seeds reached
     * @param facts further facts
     */
    public record Measured(List<EvaluationItem> items, @Internal List<ArmAnswers> arms,
            @Internal Map<String, List<PairedScores>> scores, Optional<String> metric,
            Optional<GuardReport> guard, Optional<Leakage> leakage,
            List<String> trainingQuestions, @Internal List<JudgeReport> opinions, Optional<TrainingStudy> study,
            Map<String, String> facts) {
        private List<PairedScores> scoresOf(ArmAnswers arm) {
            return scores.getOrDefault(arm.name(), List.of());
        }
    }

    /**
     * The report of answers.
     *
     * @throws ConfigurationException when there are fewer than two arms or two of one name, an arm lacks answers, or
     *     the metric that is to decide was not computed
     */
    public static ComparisonReport of(Measured measured, ComparisonOptions options) {
        List<ArmAnswers> arms = measured.arms();
        if (arms.size() < 2 || arms.stream().map(ArmAnswers::name).distinct().count() < arms.size()) {
            throw new ConfigurationException("a comparison needs the answers of a base and a tuned model, and a name "
                    + "for each; got " + arms.stream().map(ArmAnswers::name).toList());
        }
        AnswerScoring scoring = new AnswerScoring(measured.items());
        List<String> base = arms.get(0).texts();
        ArmAnswers tuned = arms.get(arms.size() - 1);
        String deciding = measured.metric().orElseGet(scoring::decidingMetric);
        List<MetricResult> metrics = scoring.compare(base, tuned.texts(), measured.scoresOf(tuned), deciding, options);
        Map<String, List<MetricResult>> others = new LinkedHashMap<>();
        arms.subList(1, arms.size() - 1).forEach(arm -> others.put(arm.name(),
                scoring.compare(base, arm.texts(), measured.scoresOf(arm), deciding, options)));
        Verdict verdict = verdict(measured, deciding, metrics, others, options);
        FailureReport known = FailureReport.of(measured.items(), scoring.right(base),
                scoring.right(tuned.texts()), measured.trainingQuestions());
        FailureReport failures = arms.stream().filter(arm -> arm.name().equals(Verdict.LOOKUP)).findFirst()
                .map(lookup -> known.beside(scoring, measured.items(), tuned.texts(), lookup.texts())).orElse(known);
        return new ComparisonReport(verdict, deciding, measured.items(),
                arms.stream().map(arm -> ArmResult.of(arm, scoring)).toList(), metrics, others, measured.guard(),
                measured.leakage(), failures, measured.opinions(), measured.study(), scoring.signatures(),
                measured.facts());
    }

    private static Verdict verdict(Measured measured, String deciding, List<MetricResult> metrics,
            Map<String, List<MetricResult>> others, ComparisonOptions options) {
        MetricResult metric = named(deciding, metrics).orElseThrow(() -> new ConfigurationException("the metric "
                + deciding + " was not computed; available are " + metrics.stream().map(MetricResult::name).toList()));
        List<ArmAnswers> arms = measured.arms();
        List<Verdict.Untrained> untrained = new ArrayList<>();
        arms.subList(1, arms.size() - 1).stream().filter(ArmAnswers::isPrompt)
                .forEach(arm -> named(deciding, others.get(arm.name())).ifPresent(gain -> named(deciding,
                        tunedOver(measured, arm, deciding, options))
                        .ifPresent(tuned -> untrained.add(new Verdict.Untrained(arm.name(), arm.description(), gain,
                                tuned)))));
        Verdict verdict = new VerdictRules(options).decide(new Evidence(arms.get(0).name(),
                arms.get(arms.size() - 1).name(),
                metric, metrics.stream().filter(m -> m != metric).toList(), untrained,
                measured.guard().map(GuardReport::overall), measured.leakage().map(Leakage::count).orElse(0),
                measured.leakage().filter(leakage -> leakage.count() > 0).map(Leakage::words).orElse(""), 0, true));
        return measured.guard().flatMap(GuardReport::practised)
                .map(kinds -> verdict.saying("General questions of kinds "
                        + "that trainings may practise, which do not count: "
                        + NumberFormats.score(kinds, kinds.tuned())
                        + " right against " + NumberFormats.score(kinds, kinds.base()) + "."))
                .orElse(verdict);
    }

    /** The tuned model against another arm. */
    private static List<MetricResult> tunedOver(Measured measured, ArmAnswers arm, String deciding,
            ComparisonOptions options) {
        ArmAnswers tuned = measured.arms().get(measured.arms().size() - 1);
        List<PairedScores> scores = new ArrayList<>();
        for (PairedScores one : measured.scoresOf(arm)) {
            measured.scoresOf(tuned).stream().filter(other -> other.name().equals(one.name())).findFirst()
                    .ifPresent(other -> scores.add(new PairedScores(one.name(), one.yesNo(), one.arm(), other.arm())));
        }
        return new AnswerScoring(measured.items()).compare(arm.texts(), tuned.texts(), scores, deciding, options);
    }

    private static Optional<MetricResult> named(String name, List<MetricResult> metrics) {
        return metrics.stream().filter(metric -> metric.name().equals(name)).findFirst();
    }

    /** The result of the metric that decided. */
    public MetricResult decidingResult() {
        return metric(metric).orElseThrow();
    }

    /** A metric of base against tuned. */
    public Optional<MetricResult> metric(String name) {
        return named(name, metrics);
    }

    /** The base model's answers. */
    public ArmResult base() {
        return arms.get(0);
    }

    /** The tuned model's answers. */
    public ArmResult tuned() {
        return arms.get(arms.size() - 1);
    }

    /** The same with another verdict, of one who knows more. */
    public ComparisonReport with(Verdict newVerdict) {
        return new ComparisonReport(newVerdict, metric, items, arms, metrics, otherArms, guard,
                leakage, failures, opinions, study, signatures, facts);
    }

    /** What each arm reaches of the metric that decides, with Wilson's interval; empty where it is no share. */
    Map<String, TaskArm.Score> decidingShares() {
        Map<String, TaskArm.Score> shares = new LinkedHashMap<>();
        MetricResult deciding = decidingResult();
        if (!deciding.isInNats() && !deciding.lowerIsBetter()) {
            shares.put(base().name(), share(deciding, deciding.base()));
            otherArms.forEach((name, results) -> named(metric, results)
                    .ifPresent(result -> shares.put(name, share(result, result.tuned()))));
            shares.put(tuned().name(), share(deciding, deciding.tuned()));
        }
        return shares;
    }

    private static TaskArm.Score share(MetricResult result, double score) {
        double share = Math.max(0, Math.min(1, score / result.scale()));
        return TaskArm.Score.share(share, Interval.ofShare(share, result.items(), 0.95));
    }

    /** What became of the facts of a former edition in the tuned model's answers, where items have such. */
    @Internal
    public Optional<NextEdition> edition() {
        return NextEdition.of(items, tuned().answers());
    }

    /** {@code {"n", "metrics", "verdict", ...}}: the form for machines, without the single answers. */
    public ObjectNode toJson() {
        return ReportJson.of(this);
    }

    /** The report as Markdown. */
    public String toMarkdown() {
        return ComparisonDocument.of(this).markdown();
    }

    /** The report as one HTML page that needs nothing else. */
    public String toHtml() {
        return ComparisonDocument.of(this).html();
    }

    /**
     * Writes the HTML page.
     *
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public void writeHtml(Path file) {
        AtomicFiles.writeString(file, toHtml());
    }

    /** The items that tuned got wrong, then those that it got right: the order in which answers are shown. */
    List<Integer> itemsByInterest() {
        Set<Integer> order = new LinkedHashSet<>(failures.regressions());
        order.addAll(failures.wrong());
        IntStream.range(0, items.size()).forEach(order::add);
        return List.copyOf(order);
    }

    @Override
    public String toString() {
        return verdict.toString();
    }
}
