package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.metric.AnswerMetric;
import io.peft4j.eval.metric.CorpusMetric;
import io.peft4j.eval.metric.TextMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Scores sets of answers to the same items by all metrics that the items allow: {@code contains} (the answer holds the
 * facts, named or drawn from the reference), over the items with references {@code exact_match},
 * {@code token_f1}, {@code rouge1}, {@code rouge2}, {@code rougeL} (from 0 to 1), {@code bleu} and {@code chrf} (from 0
 * to 100), over those with a label {@code accuracy}, over those that ask for a form {@code format}, and over those that
 * say whether a right answer refuses {@code refusal}. Over those with tools: {@code tool_call} (called where needed,
 * the right functions with the right arguments), of those that need a call {@code tool_made} (something is called),
 * {@code tool_function} and {@code tool_arguments}, of the others {@code tool_spared} (nothing is called). Over those
 * whose form and reference are JSON {@code fields}, the share of the reference's fields that are equal, and
 * {@code field_NAME} for each that at least half of them have. Over those
 * whose right answer was another one in a former edition {@code new_known} (it is right now) and {@code old_gone} (it
 * is not the former one), over those whose answer did not change {@code unchanged_right}.
 */
@Internal(shared = true)
public final class AnswerScoring {
    private static final String TOOLS = "tool_";
    private static final String NEW = "new_known";
    private static final String OLD = "old_gone";
    private static final String UNCHANGED = "unchanged_right";
    private static final String FIELDS = "fields";
    private static final String FIELD = "field_";
    private static final List<String> LEFT_OUT = List.of("rougeLsum");

    private final List<EvaluationItem> items;
    private final List<String> labels;
    private final int[] withReference;

    /**
     * A scoring of these items.
     *
     * @throws ConfigurationException when there are no items, or only one label in all of them
     */
    public AnswerScoring(List<EvaluationItem> items) {
        this.items = List.copyOf(items);
        if (this.items.isEmpty()) {
            throw new ConfigurationException("no items to evaluate");
        }
        this.labels = items.stream().flatMap(item -> item.further().label().stream()).distinct().sorted().toList();
        if (labels.size() == 1) {
            throw new ConfigurationException("all labels are \"" + labels.get(0) + "\"; a classification needs two "
                    + "classes or more");
        }
        this.withReference = places(item -> !item.references().isEmpty());
    }

    private int[] places(Predicate<EvaluationItem> chosen) {
        return IntStream.range(0, items.size()).filter(i -> chosen.test(items.get(i))).toArray();
    }

    /**
     * The metric that decides where none is chosen: {@code tool_call} where an item has tools, else {@code contains}
     * where an item names facts or they are drawn from at least half of the references, else {@code token_f1} where
     * there are references, else {@code accuracy},
     * {@code acc_norm}, {@code format} or {@code refusal}, the first that the items allow.
     */
    public String decidingMetric() {
        if (items.stream().anyMatch(item -> item.further().tools().isPresent())) {
            return TOOLS + "call";
        }
        long drawn = items.stream().filter(EvaluationItem::drawsFacts).count();
        if (items.stream().anyMatch(item -> item.hasFacts() && !item.drawsFacts())
                || drawn > 0 && 2 * drawn >= withReference.length) {
            return "contains";
        }
        return withReference.length > 0 ? "token_f1" : !labels.isEmpty() ? "accuracy"
                : items.stream().anyMatch(item -> item.further().choices().isPresent()) ? "acc_norm"
                        : items.stream().anyMatch(item -> item.further().form().isPresent()) ? "format" : "refusal";
    }

    /**
     * Compares two sets of answers, also by scores from elsewhere. One that no item has for both is left out.
     *
     * @param deciding the metric that is tested alone
     * @throws ConfigurationException when a set does not have one answer for each item, or no metric is left
     */
    public List<MetricResult> compare(List<String> base, List<String> tuned, List<PairedScores> others,
            String deciding, ComparisonOptions options) {
        check(base);
        check(tuned);
        PairedOutcomes outcomes = new PairedOutcomes(options);
        Map<String, int[]> checks = checks();
        checks.forEach((name, places) -> outcomes.yesNo(name, passes(name, places, base),
                passes(name, places, tuned)));
        if (withReference.length > 0) {
            byReference(outcomes, base, tuned);
        }
        int[] bound = bound();
        if (bound.length > 0) {
            outcomes.scores(FIELDS, fields(bound, base), fields(bound, tuned));
        }
        List<PairedScores> known = others.stream().filter(scores -> scores.known().length > 0).toList();
        known.forEach(scores -> add(outcomes, scores));
        if (checks.isEmpty() && known.isEmpty()) {
            throw new ConfigurationException("the items have only choices, which cannot be scored from "
                    + "predictions; evaluate models, or add references to the items");
        }
        return outcomes.results(deciding);
    }

    /** Items whose answer is JSON by a schema, and whose right fields are known. */
    private int[] bound() {
        return places(item -> item.further().form().isPresent() && !item.references().isEmpty()
                && !fields(item, "").isEmpty());
    }

    private static Map<String, Boolean> fields(EvaluationItem item, String answer) {
        return FormatCheck.fields(answer, item.references().get(0));
    }

    private double[] fields(int[] places, List<String> answers) {
        return IntStream.of(places).mapToDouble(i -> {
            Collection<Boolean> right = fields(items.get(i), answers.get(i)).values();
            return Collections.frequency(right, true) / (double) right.size();
        }).toArray();
    }

    /** The fields that at least half of the right answers in JSON have: others are no part of a form. */
    private Map<String, int[]> commonFields() {
        Map<String, List<Integer>> places = new LinkedHashMap<>();
        int[] bound = bound();
        for (int i : bound) {
            fields(items.get(i), "").keySet().forEach(name -> places.computeIfAbsent(FIELD + name,
                    key -> new ArrayList<>()).add(i));
        }
        places.values().removeIf(with -> 2 * with.size() < bound.length);
        Map<String, int[]> common = new LinkedHashMap<>();
        places.forEach((name, with) -> common.put(name, with.stream().mapToInt(i -> i).toArray()));
        return common;
    }

    private void byReference(PairedOutcomes outcomes, List<String> base, List<String> tuned) {
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
    }

    private static void add(PairedOutcomes outcomes, PairedScores scores) {
        double[] first = IntStream.of(scores.known()).mapToDouble(i -> scores.base().get(i).getAsDouble()).toArray();
        double[] second = IntStream.of(scores.known()).mapToDouble(i -> scores.arm().get(i).getAsDouble()).toArray();
        if (scores.yesNo()) {
            outcomes.yesNo(scores.name(), yes(first), yes(second));
        } else {
            outcomes.scores(scores.name(), first, second);
        }
    }

    /** The yes/no checks of texts that the items allow, with the items that have them. */
    private Map<String, int[]> checks() {
        Map<String, int[]> checks = new LinkedHashMap<>();
        checks.put("contains", places(EvaluationItem::namesFacts));
        checks.put("accuracy", places(item -> item.further().label().isPresent()));
        checks.put("format", places(item -> item.further().form().isPresent()));
        checks.put("refusal", places(item -> item.further().refusal().isPresent()));
        checks.put(TOOLS + "call", places(item -> item.further().tools().isPresent()));
        int[] needed = places(item -> item.further().tools().filter(ToolCheck::needsCall).isPresent());
        List.of("made", "function", "arguments").forEach(name -> checks.put(TOOLS + name, needed));
        checks.put(TOOLS + "spared", places(item -> item.further().tools().filter(check -> !check.needsCall())
                .isPresent()));
        int[] changed = places(EvaluationItem::isChanged);
        checks.put(NEW, changed);
        checks.put(OLD, changed);
        checks.put(UNCHANGED, places(EvaluationItem::isUnchanged));
        checks.putAll(commonFields());
        checks.values().removeIf(places -> places.length == 0);
        return checks;
    }

    private boolean[] passes(String check, int[] places, List<String> answers) {
        boolean[] passes = new boolean[places.length];
        for (int i = 0; i < passes.length; i++) {
            EvaluationItem item = items.get(places[i]);
            String answer = answers.get(places[i]);
            passes[i] = switch (check) {
                case "contains" -> item.isAnsweredBy(answer);
                case "accuracy" -> isLabelled(item, answer);
                case TOOLS + "made", TOOLS + "spared" -> item.further().tools().orElseThrow().callsWhereNeeded(answer);
                case TOOLS + "function" -> item.further().tools().orElseThrow().callsRightFunctions(answer);
                case TOOLS + "call", TOOLS + "arguments" -> item.further().tools().orElseThrow().accepts(answer);
                case NEW, UNCHANGED -> item.isAnsweredBy(answer);
                case OLD -> item.isAnsweredBy(answer) || !item.further().former().orElseThrow().isAnsweredBy(answer);
                case "format" -> item.further().form().orElseThrow().accepts(answer);
                case "refusal" -> item.further().refusal().orElseThrow() == RefusalDetector.isRefusal(answer);
                default -> fields(item, answer).get(check.substring(FIELD.length()));
            };
        }
        return passes;
    }

    private boolean isLabelled(EvaluationItem item, String answer) {
        return Classification.labelOf(answer, labels).equals(item.further().label().orElseThrow());
    }

    /** The scores of one set of answers alone. */
    public Map<String, Double> scores(List<String> answers) {
        check(answers);
        Map<String, Double> scores = new LinkedHashMap<>();
        checks().forEach((name, places) -> {
            boolean[] passes = passes(name, places, answers);
            scores.put(name, IntStream.range(0, passes.length).filter(i -> passes[i]).count()
                    / (double) passes.length);
        });
        if (bound().length > 0) {
            scores.put(FIELDS, Arrays.stream(fields(bound(), answers)).average().orElseThrow());
        }
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

    /**
     * The score of {@link #decidingMetric} of one set of answers, from 0 to 1.
     *
     * @throws ConfigurationException when the metric cannot be computed of texts alone
     */
    public double decidingScore(List<String> answers) {
        Double score = scores(answers).get(decidingMetric());
        if (score == null) {
            throw new ConfigurationException(decidingMetric() + " cannot be computed from predictions alone");
        }
        return score;
    }

    /** What else one set of answers says: classes, consistency of wordings, refusals; and its model. */
    public ArmDetails details(List<String> answers, ModelMeasures model) {
        check(answers);
        int[] labelled = places(item -> item.further().label().isPresent());
        Optional<Classification> classes = labelled.length == 0 ? Optional.empty()
                : Optional.of(Classification.of(labels,
                        IntStream.of(labelled).mapToObj(i -> items.get(i).further().label().orElseThrow()).toList(),
                        IntStream.of(labelled).mapToObj(answers::get).toList()));
        Optional<Consistency> wordings = Consistency.hasWordings(items)
                ? Optional.of(Consistency.ofWordings(items, answers)) : Optional.empty();
        return new ArmDetails(RefusalDetector.rate(answers), classes, wordings, model);
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
        check(answers);
        boolean[] right = new boolean[items.size()];
        for (int i = 0; i < right.length; i++) {
            EvaluationItem item = items.get(i);
            boolean byLabel = !item.namesFacts() && item.further().label().isPresent();
            right[i] = byLabel ? isLabelled(item, answers.get(i)) : item.isAnsweredBy(answers.get(i));
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
