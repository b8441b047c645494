package io.peft4j.eval;

import io.peft4j.core.Internal;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.grader.Grading;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.judge.Embedder;
import io.peft4j.eval.judge.GradedAnswers;
import io.peft4j.eval.judge.Judge;
import io.peft4j.eval.judge.JudgeReport;
import io.peft4j.eval.judge.JudgedAnswers;
import io.peft4j.eval.judge.Similarity;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Leakage;
import io.peft4j.eval.task.MultipleChoice;
import io.peft4j.eval.task.PairedScores;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From answers to a verdict, wherever they come from: a {@link Comparison} asks models for them.
 *
 * <pre>{@code
 * ComparisonReport report = Evaluation.of(items)
 *         .answers(ArmAnswers.given("base", "last year's model", before))
 *         .answers(ArmAnswers.given("tuned", "this year's model", after))
 *         .judge(LlmJudge.of(Endpoint.of("http://localhost:8000/v1", "a-large-model")), 4)
 *         .compare(ComparisonOptions.defaults());
 * }</pre>
 *
 * <p>Each setting changes this evaluation and returns it.
 */
public final class Evaluation {
    private static final Logger LOG = LoggerFactory.getLogger(Evaluation.class);

    private final List<EvaluationItem> items;
    private final List<ArmAnswers> arms = new ArrayList<>();
    private Optional<String> metric = Optional.empty();
    private Optional<GuardReport> guard = Optional.empty();
    private Optional<ChatDataset> training = Optional.empty();
    private Optional<Judge> judge = Optional.empty();
    private int judgedAtOnce = 1;
    private Optional<Embedder> embedder = Optional.empty();
    private Optional<Grading> grading = Optional.empty();
    private Optional<TrainingStudy> study = Optional.empty();
    private final Map<String, String> facts = new LinkedHashMap<>();

    private Evaluation(List<EvaluationItem> items) {
        this.items = EvaluationItem.together(items);
    }

    /** An evaluation on these items. */
    public static Evaluation of(List<EvaluationItem> items) {
        return new Evaluation(items);
    }

    /** The answers of one arm: the base model first, the tuned one last, others between. */
    @Internal
    public Evaluation answers(ArmAnswers arm) {
        arms.add(Objects.requireNonNull(arm, "arm"));
        return this;
    }

    /** The metric that decides, to be chosen before the answers are seen. */
    public Evaluation decidingMetric(String name) {
        metric = Optional.of(name);
        return this;
    }

    /** What was forgotten of general ability. */
    public Evaluation guard(GuardReport report) {
        guard = Optional.of(report);
        return this;
    }

    /**
     * What was trained on: held-out items are looked for in it, failures are measured against it, and the tuned model
     * is compared with the answer of the most similar row, the arm {@code lookup}, which needs no training.
     */
    public Evaluation trainingData(ChatDataset dataset) {
        training = Optional.of(dataset);
        return this;
    }

    /**
     * Also has the answers judged: {@code judge_score} and {@code judge_preferred}.
     *
     * @param atOnce number of answers judged at a time
     */
    public Evaluation judge(Judge newJudge, int atOnce) {
        judge = Optional.of(newJudge);
        judgedAtOnce = atOnce;
        return this;
    }

    /** Also measures how near answers are to their references: {@code embedding_similarity}. */
    public Evaluation similarity(Embedder newEmbedder) {
        embedder = Optional.of(newEmbedder);
        return this;
    }

    /**
     * Also has the answers graded: {@code reward}, which decides where no other metric is chosen. The grader sees the
     * {@linkplain EvaluationItem#fields fields} of an item; the thresholds of the verdict are for rewards from 0 to 1.
     */
    public Evaluation grader(Grading newGrading) {
        grading = Optional.of(newGrading);
        return this;
    }

    /** What trainings of other sizes and seeds reached. */
    public Evaluation study(TrainingStudy newStudy) {
        study = Optional.of(newStudy);
        return this;
    }

    /** A further fact for the report, such as where the data comes from. */
    public Evaluation fact(String name, String value) {
        facts.put(name, value);
        return this;
    }

    /**
     * Compares.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there is no item, fewer than two arms or two of one
     *     name, an arm lacks answers, or the metric that is to decide cannot be computed
     */
    public ComparisonReport compare(ComparisonOptions options) {
        List<ArmAnswers> all = new ArrayList<>(arms);
        if (arms.size() > 1) {
            training.flatMap(rows -> Arm.lookup(rows, items)).ifPresent(arm -> all.add(arms.size() - 1, arm));
        }
        List<ArmAnswers> others = all.isEmpty() ? all : all.subList(1, all.size());
        Map<String, List<PairedScores>> scores = new LinkedHashMap<>();
        List<JudgeReport> opinions = new ArrayList<>();
        others.forEach(arm -> scores.put(arm.name(), choices(arms.get(0), arm)));
        embedder.ifPresent(vectors -> opinions.add(similarities(vectors, others, scores)));
        judge.ifPresent(who -> opinions.add(judgements(who, others, scores)));
        grading.ifPresent(by -> opinions.add(grades(by, others, scores)));
        opinions.stream().filter(JudgeReport::isIncomplete)
                .forEach(report -> LOG.warn("{}: {}", report, report.troubles()));
        Map<String, String> known = new LinkedHashMap<>(facts);
        known.put("compared on", LocalDateTime.now().truncatedTo(ChronoUnit.MINUTES).toString().replace('T', ' '));
        return ComparisonReport.of(new ComparisonReport.Measured(items, all, scores,
                metric.or(() -> grading.map(by -> GradedAnswers.METRIC)), guard,
                training.map(dataset -> Leakage.of(items, dataset)), training.map(Arm::questions).orElse(List.of()),
                opinions, study, known), options);
    }

    private JudgeReport similarities(Embedder vectors, List<ArmAnswers> others,
            Map<String, List<PairedScores>> scores) {
        Similarity similarity = new Similarity(vectors);
        List<OptionalDouble> base = similarity.of(items, arms.get(0).texts());
        others.forEach(arm -> scores.get(arm.name()).add(new PairedScores(Similarity.METRIC, false, base,
                similarity.of(items, arm.texts()))));
        return similarity.report();
    }

    private JudgeReport grades(Grading by, List<ArmAnswers> others, Map<String, List<PairedScores>> scores) {
        GradedAnswers graded = new GradedAnswers(by, items);
        List<OptionalDouble> base = graded.of(arms.get(0).texts());
        others.forEach(arm -> scores.get(arm.name()).add(new PairedScores(GradedAnswers.METRIC, false, base,
                graded.of(arm.texts()))));
        return graded.report();
    }

    private JudgeReport judgements(Judge who, List<ArmAnswers> others, Map<String, List<PairedScores>> scores) {
        JudgedAnswers judged = new JudgedAnswers(who, judgedAtOnce, items, arms.get(0).texts());
        others.forEach(arm -> scores.get(arm.name()).addAll(judged.against(arm.texts())));
        return judged.report();
    }

    /** Whether the right choice is the likeliest, as it is and per character. */
    private List<PairedScores> choices(ArmAnswers base, ArmAnswers arm) {
        List<PairedScores> scores = new ArrayList<>();
        if (base.measures().choices().isPresent() && arm.measures().choices().isPresent()) {
            scores.add(choice("acc", base, arm, MultipleChoice.Outcome::correct));
            scores.add(choice("acc_norm", base, arm, MultipleChoice.Outcome::correctNormalized));
        }
        return scores;
    }

    private PairedScores choice(String name, ArmAnswers base, ArmAnswers arm,
            Predicate<MultipleChoice.Outcome> right) {
        return new PairedScores(name, true, outcomes(base, right), outcomes(arm, right));
    }

    private List<OptionalDouble> outcomes(ArmAnswers arm, Predicate<MultipleChoice.Outcome> right) {
        List<OptionalDouble> outcomes = new ArrayList<>();
        int at = 0;
        for (EvaluationItem item : items) {
            boolean asked = item.further().choices().isPresent();
            outcomes.add(!asked ? OptionalDouble.empty() : OptionalDouble.of(
                    right.test(arm.measures().choices().orElseThrow().outcomes().get(at)) ? 1 : 0));
            at += asked ? 1 : 0;
        }
        return outcomes;
    }
}
