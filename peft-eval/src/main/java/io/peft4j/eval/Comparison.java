package io.peft4j.eval;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.ModelStatus;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.augment.NearUnknowns;
import io.peft4j.data.grader.Grading;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.OwnRows;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.comparison.VerdictRules;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.judge.Embedder;
import io.peft4j.eval.judge.Judge;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.report.TrainingStudy.Point;
import io.peft4j.eval.task.AnswerCache;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.Consistency;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.ModelMeasures;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Whether a tuned model is really better than its base: the same held-out items, the same decoding, paired statistics,
 * a guard set of general ability, and a verdict.
 *
 * <pre>{@code
 * ComparisonReport report = Comparison.of(base, model).trainingData(handbook.train()).on(handbook.test());
 * System.out.println(report.verdict());
 * report.writeHtml(Path.of("report.html"));
 * }</pre>
 *
 * <p>Each setting changes this comparison and returns it. Memory does not grow with the number of items, but for their
 * texts: answers are generated in batches.
 */
public final class Comparison {
    private static final double ENOUGH = 0.95;
    private static final int OWN_ROWS = 40;
    private static final int MISSED = 5;

    /** Follows a comparison. */
    @FunctionalInterface
    public interface Listener {
        /** {@code done} of {@code total} questions have been answered by the arm {@code arm}. */
        void onAnswers(String arm, int done, int total);
    }

    private final Arm base;
    private final Arm tuned;
    private final List<Arm> others = new ArrayList<>();
    private ComparisonOptions options = ComparisonOptions.defaults();
    private GenerationOptions generation = GenerationOptions.defaults();
    private Optional<AnswerCache> baseCache = Optional.empty();
    private Optional<AnswerCache> cache = Optional.empty();
    private Optional<ChatDataset> training = Optional.empty();
    private Optional<OwnRows.Ending> ending = Optional.empty();
    private Optional<String> metric = Optional.empty();
    private Optional<GuardSet> guard = Optional.of(GuardSet.builtIn());
    private boolean likelihood = true;
    private int draws;
    private double temperature;
    /** What is added to the evaluation: judges, embeddings and graders: each brings a metric. */
    private final List<Consumer<Evaluation>> opinions = new ArrayList<>();
    private final Map<Integer, LanguageModel> otherSizes = new TreeMap<>();
    private final Map<String, LanguageModel> otherSeeds = new LinkedHashMap<>();
    private Listener listener = (arm, done, total) -> {
    };
    private final Map<String, String> facts = new LinkedHashMap<>();

    private Comparison(Arm base, Arm tuned) {
        this.base = base;
        this.tuned = tuned;
    }

    /**
     * A base model against a tuned one, with the built-in guard set (where items have tools, {@link GuardSet#tools},
     * too), greedy answers of at most 64 tokens.
     */
    public static Comparison of(LanguageModel base, LanguageModel tuned) {
        return new Comparison(Arm.plain("base", "the base model as it is", base),
                Arm.plain("tuned", "the tuned model", tuned));
    }

    /** Other statistics and thresholds. */
    public Comparison options(ComparisonOptions newOptions) {
        options = Objects.requireNonNull(newOptions, "options");
        return this;
    }

    /**
     * Other options of generation, for all arms.
     *
     * @throws ConfigurationException when they ask for more than one answer to each question
     */
    public Comparison generation(GenerationOptions newGeneration) {
        Answerer.of(base.model()).options(newGeneration);
        generation = newGeneration;
        return this;
    }

    /** Keeps all greedy answers in a file, so that an interrupted comparison resumes where it stopped. */
    public Comparison cachedIn(Path file) {
        cache = Optional.of(AnswerCache.open(file));
        return this;
    }

    /** Keeps the base model's greedy answers in a file of their own: they serve other tuned models, too. */
    public Comparison baseCachedIn(Path file) {
        baseCache = Optional.of(AnswerCache.open(file));
        return this;
    }

    /**
     * What was trained on, see {@link Evaluation#trainingData}: what the most similar row answers is compared, too.
     * Where less than 95 % of the held-out items are right, 40 of these rows are asked as well, evenly from the first
     * to the last, and the verdict says whether they were learned ({@link OwnRows}). Base and tuned are also asked at
     * most 40 questions near the rows that none of them answers; the verdict says how many answers are invented.
     */
    public Comparison trainingData(ChatDataset dataset) {
        training = Optional.of(dataset);
        return this;
    }

    /** How the training ended: where rows were not learned, a model below 80 % is not to be shipped. */
    public Comparison trainingEnd(OwnRows.Ending end) {
        ending = Optional.of(end);
        return this;
    }

    /** Another arm between base and tuned: another adapter, a checkpoint, a base with a prompt. */
    public Comparison arm(Arm arm) {
        others.add(Objects.requireNonNull(arm, "arm"));
        return this;
    }

    /** The metric that decides, to be chosen before the answers are seen. */
    public Comparison decidingMetric(String name) {
        metric = Optional.of(name);
        return this;
    }

    /** Another guard set. */
    public Comparison guard(GuardSet set) {
        guard = Optional.of(set);
        return this;
    }

    /** Without a guard set: whether general ability was harmed is not known then, so that nothing ships. */
    public Comparison withoutGuard() {
        guard = Optional.empty();
        return this;
    }

    /** Without the likelihood of the references, which is measured by default. */
    public Comparison withoutLikelihood() {
        likelihood = false;
        return this;
    }

    /**
     * Also asks each question several times with draws, to see whether the answers agree.
     *
     * @param times at least 2
     * @param newTemperature of the draws, above 0
     * @throws ConfigurationException when one of them is less
     */
    public Comparison draws(int times, double newTemperature) {
        Consistency.requireDraws(times, newTemperature);
        draws = times;
        temperature = newTemperature;
        return this;
    }

    /**
     * Also has the answers judged, see {@link Evaluation#judge}.
     *
     * @param atOnce number of answers judged at a time
     */
    public Comparison judge(Judge newJudge, int atOnce) {
        opinions.add(evaluation -> evaluation.judge(newJudge, atOnce));
        return this;
    }

    /** Also measures how near answers are to their references, see {@link Evaluation#similarity}. */
    public Comparison similarity(Embedder newEmbedder) {
        opinions.add(evaluation -> evaluation.similarity(newEmbedder));
        return this;
    }

    /** Also has the answers graded, see {@link Evaluation#grader}. */
    public Comparison grader(Grading newGrading) {
        opinions.add(evaluation -> evaluation.grader(newGrading));
        return this;
    }

    /**
     * A model that was trained in the same way on another number of examples: with two of them or more, beside the
     * tuned model and its {@link #trainingData}, a learning curve is fitted.
     *
     * @throws ConfigurationException when the number is less than 1
     */
    public Comparison trainedOn(int examples, LanguageModel model) {
        if (examples < 1) {
            throw new ConfigurationException("the number of training examples must be at least 1, got " + examples);
        }
        otherSizes.put(examples, Objects.requireNonNull(model, "model"));
        return this;
    }

    /** A model that was trained like the tuned one with another seed: the spread over seeds is reported. */
    public Comparison otherSeed(String name, LanguageModel model) {
        otherSeeds.put(name, Objects.requireNonNull(model, "model"));
        return this;
    }

    /** Sets a listener. */
    public Comparison listener(Listener newListener) {
        listener = Objects.requireNonNull(newListener, "listener");
        return this;
    }

    /** A further fact for the report, such as where the data comes from. */
    public Comparison fact(String name, String value) {
        facts.put(name, value);
        return this;
    }

    /**
     * Compares on conversations: what precedes each last answer is asked, the answer is the reference.
     *
     * @throws io.peft4j.core.error.PeftException as the other
     */
    public ComparisonReport on(ChatDataset heldOut) {
        return on(EvaluationItem.all(heldOut.examples()));
    }

    /**
     * Asks all arms and compares.
     *
     * @throws io.peft4j.core.error.PeftException when there is no item, the model has no chat template, a question is
     *     too long for it, or the deciding metric cannot be computed
     * @throws java.io.UncheckedIOException when a cache cannot be written
     */
    public ComparisonReport on(List<EvaluationItem> items) {
        AnswerScoring scoring = new AnswerScoring(items);
        requireMetric(scoring, items);
        List<Arm> arms = new ArrayList<>(List.of(base));
        arms.addAll(others);
        arms.add(tuned);
        Evaluation evaluation = Evaluation.of(items);
        List<ArmAnswers> answers = arms.stream().map(arm -> ask(arm, items)).toList();
        answers.forEach(evaluation::answers);
        boolean calls = items.stream().anyMatch(item -> item.further().tools().isPresent());
        guard.map(set -> calls ? set.plus(GuardSet.tools()) : set)
                .ifPresent(set -> evaluation.guard(set.compare(answerer(base, "guard, "), answerer(tuned, "guard, "),
                        options)));
        if (!otherSizes.isEmpty() || !otherSeeds.isEmpty()) {
            evaluation.study(study(items, scoring, answers.get(answers.size() - 1)));
        }
        metric.ifPresent(evaluation::decidingMetric);
        training.ifPresent(evaluation::trainingData);
        opinions.forEach(opinion -> opinion.accept(evaluation));
        facts().forEach(evaluation::fact);
        return withInventions(explained(evaluation.compare(options)));
    }

    /** Refuses a metric that can never be computed before any model is asked. */
    private void requireMetric(AnswerScoring scoring, List<EvaluationItem> items) {
        boolean further = !opinions.isEmpty() || items.stream().anyMatch(item -> item.further().choices().isPresent());
        Set<String> ofTexts = scoring.scores(Collections.nCopies(items.size(), "")).keySet();
        metric.filter(name -> !further && !ofTexts.contains(name)).ifPresent(name -> {
            throw new ConfigurationException("the metric " + name + " is not available for these items; available are "
                    + ofTexts);
        });
    }

    private Answerer answerer(Arm arm, String prefix) {
        Optional<AnswerCache> kept = arm.model() == base.model() && baseCache.isPresent() ? baseCache : cache;
        Answerer answerer = Answerer.of(arm.model()).options(generation)
                .listener((done, total) -> listener.onAnswers(prefix + arm.name(), done, total));
        return kept.map(answerer::cachedIn).orElse(answerer);
    }

    private ArmAnswers ask(Arm arm, List<EvaluationItem> items) {
        long begin = System.nanoTime();
        List<EvaluationItem> asked = arm.asking(items);
        Answerer.Answered answered = answerer(arm, "").ask(asked);
        double seconds = (System.nanoTime() - begin) / 1e9;
        ModelMeasures measures = ModelMeasures.of(arm.model(), asked, likelihood).withCut(answered.cut());
        if (draws > 0) {
            Answerer drawing = answerer(arm, "draws, ").options(
                    generation.withSampling(generation.sampling().withTemperature(temperature)));
            measures = measures.withDraws(Consistency.ofDraws(drawing, asked, draws));
        }
        boolean prompt = arm != base && arm.model() == base.model();
        return new ArmAnswers(arm.name(), arm.description(), answered.texts(), measures, seconds, prompt);
    }

    /** The report, knowing why held-out items are wrong, if there are enough of these. */
    private ComparisonReport explained(ComparisonReport report) {
        List<EvaluationItem> wrong = wrong(report.items(), report.tuned().answers());
        double right = 1 - wrong.size() / (double) report.items().size();
        List<EvaluationItem> own = EvaluationItem.all(VerdictOptions.spread(right >= ENOUGH ? List.of()
                : training.map(Arm::answered).orElse(List.of()), OWN_ROWS)).stream()
                .filter(EvaluationItem::tellsRight).toList();
        try {
            int unlearned = own.isEmpty() ? 0
                    : wrong(own, answerer(tuned, "own rows, ").answers(tuned.asking(own))).size();
            return own.isEmpty() && ending.isEmpty() ? report : report.with(new OwnRows(own.size(), own.size()
                    - unlearned, right, wrong.stream().map(EvaluationItem::question).distinct().limit(MISSED).toList(),
                    ending).in(report.verdict(), report.decidingResult()));
        } catch (PeftException e) {
            // A training cuts rows that are too long to be asked.
            return report;
        }
    }

    /** The report, knowing how many answers to questions that no row answers base and tuned invent. */
    private ComparisonReport withInventions(ComparisonReport report) {
        NearUnknowns near = new NearUnknowns(training.map(Arm::answered).orElse(List.of()),
                report.items().stream().map(EvaluationItem::question).toList());
        List<NearUnknowns.Question> questions = near.make(OWN_ROWS, NearUnknowns.Use.QUESTIONS);
        if (questions.isEmpty()) {
            return report;
        }
        List<EvaluationItem> items = EvaluationItem.all(questions.stream().map(NearUnknowns.Question::example)
                .toList());
        try {
            List<boolean[]> known = Stream.of(base, tuned).map(arm -> {
                List<String> texts = answerer(arm, "near-unknown, ").answers(arm.asking(items));
                boolean[] right = new boolean[texts.size()];
                IntStream.range(0, right.length)
                        .forEach(i -> right[i] = !near.isInvented(questions.get(i), texts.get(i)));
                return right;
            }).toList();
            return report.with(new VerdictRules(options).inventing(report.verdict(), new PairedOutcomes(options)
                    .yesNo("near_unknown", known.get(0), known.get(1)).results().get(0)));
        } catch (PeftException e) {
            // They are made of rows, which may be too long to be asked.
            return report;
        }
    }

    private static List<EvaluationItem> wrong(List<EvaluationItem> items, List<String> texts) {
        boolean[] right = new AnswerScoring(items).right(texts);
        return IntStream.range(0, right.length).filter(i -> !right[i]).mapToObj(items::get)
                .filter(EvaluationItem::tellsRight).toList();
    }

    private TrainingStudy study(List<EvaluationItem> items, AnswerScoring scoring, ArmAnswers answered) {
        int examples = training.map(ChatDataset::size).orElse(0);
        Point present = new Point(tuned.name(), examples, scoring.decidingScore(answered.texts()));
        List<Point> points = new ArrayList<>();
        otherSizes.forEach((size, model) -> points.add(point(Count.of(size, "example"), size,
                model, items, scoring)));
        if (!points.isEmpty() && examples > 0 && !otherSizes.containsKey(examples)) {
            points.add(present);
        }
        List<Point> seeds = new ArrayList<>();
        otherSeeds.forEach((name, model) -> seeds.add(point(name, examples, model, items, scoring)));
        if (!seeds.isEmpty()) {
            seeds.add(0, present);
        }
        return TrainingStudy.of(scoring.decidingMetric(), points, seeds);
    }

    private Point point(String name, int examples, LanguageModel model, List<EvaluationItem> items,
            AnswerScoring scoring) {
        List<String> answers = answerer(Arm.plain(name, name, model), "").answers(items);
        return new Point(name, examples, scoring.decidingScore(answers));
    }

    private Map<String, String> facts() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("base model", base.model().network().description().summary());
        if (tuned.model() instanceof PeftModel model) {
            ModelStatus status = model.status();
            all.put("method", String.format(Locale.ROOT, "%s, %,d trainable parameters", String.join(", ",
                    status.peftTypes().values().stream().distinct().toList()), status.trainableParams()));
        }
        all.put("kernels", base.model().engine().name());
        all.put("decoding", (generation.sampling().isGreedy() ? "greedy"
                : "temperature " + generation.sampling().temperature() + ", seed " + generation.sampling().seed())
                + ", at most " + generation.maxNewTokens() + " new tokens");
        training.ifPresent(dataset -> all.put("training examples", Integer.toString(dataset.size())));
        all.putAll(facts);
        all.put("statistics", options.describe());
        all.put("Java", System.getProperty("java.version") + " on " + System.getProperty("os.arch"));
        return all;
    }
}
