package io.peft4j.eval.head;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.PythonJson;
import io.peft4j.core.decision.TrainedStates;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.data.DecisionData;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.report.Curve;
import io.peft4j.eval.task.WordVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Typed questions: whether the likeliest option is right, and what the probabilities are worth
 * ({@link DecisionMeasures}), in units of questions, of which those of one row are no independent ones. Beside the
 * base, the tuned model is compared with the most frequent option of each question and, where the training rows are
 * known, with the answer to the most similar of them. A base whose head was initialized is that most frequent option.
 * How often another order of the options changes a choice is measured on the first questions, and how often another
 * wording does on those that have some.
 */
@Internal
public final class DecisionEvaluation implements RowEvaluation<DecisionRow> {
    /** Choices that are asked again with their options in another order. */
    private static final int ASKED_AGAIN = 200;

    private final Optional<DecisionQuestion> plain;

    /** The evaluation of rows that are questions. */
    public DecisionEvaluation() {
        this(Optional.empty());
    }

    private DecisionEvaluation(Optional<DecisionQuestion> plain) {
        this.plain = plain;
    }

    /** The same for rows with a label, too, where the model knows what to ask of them. */
    @Override
    public RowEvaluation<DecisionRow> asOf(Model model) {
        return new DecisionEvaluation(((LanguageModel) model).decisions().plainQuestion());
    }

    @Override
    public Task.Type task() {
        return Task.Type.DECISION;
    }

    @Override
    public RowKind<DecisionRow> kind() {
        return plain.isEmpty() ? RowKind.DECISIONS : new RowKind<>(RowKind.DECISIONS.words(), RowKind.DECISIONS.form()
                + ", {\"text\", \"label\"} or chats", fields -> true,
                (OpenRows rows) -> DecisionData.rows(rows,
                        plain));
    }

    @Override
    public Class<DecisionRow> row() {
        return DecisionRow.class;
    }

    @Override
    public String text(DecisionRow row) {
        return PythonJson.text(row.request().state());
    }

    @Override
    public Seen seen(Model tuned, List<DecisionRow> rows) {
        DecisionSettings settings = ((LanguageModel) tuned).decisions();
        return new Seen(count(settings.trained(), rows), count(settings.calibration().states(), rows));
    }

    private static int count(TrainedStates states, List<DecisionRow> rows) {
        return (int) rows.stream().filter(row -> states.contains(row.request().state())).count();
    }

    /** The base with the tuned model's prompt and labels; what was fitted to each one's answers is its own. */
    private static DecisionModel askedAs(DecisionModel tuned, LanguageModel base) {
        return new DecisionModel(base, tuned.settings().withFitted(base.decisions().temperature(),
                base.decisions().calibration()));
    }

    /** Probabilities for each question. */
    private static double[][] said(DecisionModel model, List<Prediction> asked) {
        return asked.stream().map(each -> model.settings().probabilities(each.question(), each.logits()))
                .toArray(double[][]::new);
    }

    @Override
    public Findings evaluate(Compared models, List<DecisionRow> rows, List<DecisionRow> training) {
        DecisionModel tuned = new DecisionModel((LanguageModel) models.tuned());
        Optional<DecisionModel> untrained = models.base().map(base -> askedAs(tuned, (LanguageModel) base));
        List<Prediction> ofUntrained = untrained.map(model -> Prediction.of(model, rows)).orElse(List.of());
        List<Prediction> asked = Prediction.of(tuned, rows);
        if (asked.isEmpty()) {
            throw new ConfigurationException("no row says what is right for one of its questions");
        }
        Map<String, double[]> frequent = frequencies(training.isEmpty() ? rows : training);
        double[][] most = asked.stream().map(each -> frequent.getOrDefault(key(each.question()),
                uniform(each.gold().length))).toArray(double[][]::new);
        double[][] ofTuned = said(tuned, asked);
        double[][] ofBase = untrained.map(model -> said(model, ofUntrained))
                .orElse(most);
        PairedMeasures measures = new PairedMeasures(models.options(), together(asked));
        DecisionMeasures base = new DecisionMeasures(asked, ofBase);
        DecisionMeasures mine = new DecisionMeasures(asked, ofTuned);
        measures.yesNo("accuracy", base.right(), mine.right());
        new DecisionMeasures(asked, most).addOver(measures, "_over_most_frequent", mine);
        Optional<Findings.Untrained> lookup = Optional.of(training).filter(known -> !known.isEmpty()).map(known -> {
            DecisionMeasures found = new DecisionMeasures(asked, nearest(asked, rows, known));
            return Findings.Untrained.lookup(compared(models, asked, base, found),
                    compared(models, asked, found, mine));
        });
        base.add(measures, mine);
        List<Prediction> choices = choices(asked);
        if (!choices.isEmpty()) {
            measures.means("order_flips", PairedMeasures.numbers(untrained.map(model -> DecisionMeasures.flips(model,
                    choices(ofUntrained))).orElseGet(() -> new boolean[choices.size()])), PairedMeasures.numbers(
                            DecisionMeasures.flips(tuned, choices)),
                    together(choices));
        }
        addWordings(measures, tuned, asked, untrained.map(model -> DecisionMeasures.flipsOf(model, reworded(ofUntrained,
                rows), wordings(asked, rows))), rows);
        return new Findings("accuracy", models.base().isPresent() ? "is the base model, asked in the same way"
                : "gives every question its most frequent option in the " + Rows.source(training), measures,
                Findings.Classes.NONE, Findings.Classes.NONE,
                Rows.answers(base.right(), mine.right(), i -> new String[] {
                    asked.get(i).name() + ": " + text(rows.get(asked.get(i).row())), name(asked.get(i), asked.get(i)
                            .gold()),
                    name(asked.get(i), ofBase[i]), name(asked.get(i), ofTuned[i])}, i -> asked.get(i).row()),
                List.of(new Curve("Share of right answers by their probability", "probability of the likeliest option",
                        List.of(base.reliability("base"), mine.reliability("tuned"),
                                new Curve.Line("as it should be", List.of(0.0, 1.0), List.of(0.0, 1.0)))),
                        new Curve("Share of wrong answers among the surest", "share of answers that are kept",
                                List.of(base.coverage("base"), mine.coverage("tuned")))),
                lookup);
    }

    private static PairedMeasures compared(Compared models, List<Prediction> asked, DecisionMeasures first,
            DecisionMeasures second) {
        PairedMeasures measures = new PairedMeasures(models.options(), together(asked));
        first.addOver(measures, "", second);
        return measures;
    }

    private static String name(Prediction asked, double[] said) {
        return asked.question().names().get(Prediction.best(said));
    }

    private static String key(DecisionQuestion question) {
        return question.toJson().toString();
    }

    private static double[] uniform(int options) {
        double[] uniform = new double[options];
        Arrays.fill(uniform, 1.0 / options);
        return uniform;
    }

    /** The mean of what is right, by question. */
    private static Map<String, double[]> frequencies(List<DecisionRow> rows) {
        Map<String, double[]> sums = new HashMap<>();
        rows.forEach(row -> row.gold().forEach((name, gold) -> {
            double[] sum = sums.computeIfAbsent(key(row.request().questions().get(name)), k -> new double[gold.size()]);
            Arrays.setAll(sum, i -> sum[i] + gold.get(i));
        }));
        sums.values().forEach(sum -> {
            double total = Arrays.stream(sum).sum();
            Arrays.setAll(sum, i -> sum[i] / total);
        });
        return sums;
    }

    /** What is right for the most similar row that has the same question. */
    private double[][] nearest(List<Prediction> asked, List<DecisionRow> rows, List<DecisionRow> training) {
        Map<String, List<Integer>> with = new LinkedHashMap<>();
        List<List<Double>> gold = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        training.forEach(row -> row.gold().forEach((name, right) -> {
            with.computeIfAbsent(key(row.request().questions().get(name)), k -> new ArrayList<>()).add(texts.size());
            texts.add(text(row));
            gold.add(right);
        }));
        WordVectors words = new WordVectors(texts);
        return asked.stream().map(each -> {
            double[] similar = words.similarities(text(rows.get(each.row())));
            return with.getOrDefault(key(each.question()), List.of()).stream()
                    .max((a, b) -> similar[a] != similar[b] ? Double.compare(similar[a], similar[b]) : b - a)
                    .map(place -> gold.get(place).stream().mapToDouble(Double::doubleValue).toArray())
                    .orElseGet(() -> uniform(each.gold().length));
        }).toArray(double[][]::new);
    }

    /** How often an answer changes where the rows have other wordings of its question. */
    private static void addWordings(PairedMeasures measures, DecisionModel tuned, List<Prediction> asked,
            Optional<boolean[]> ofBase, List<DecisionRow> rows) {
        List<Prediction> reworded = reworded(asked, rows);
        if (!reworded.isEmpty()) {
            measures.means("wording_flips", PairedMeasures.numbers(ofBase.orElseGet(() -> new boolean[reworded
                    .size()])),
                    PairedMeasures.numbers(DecisionMeasures.flipsOf(tuned, reworded, wordings(asked, rows))),
                    together(reworded));
        }
    }

    private static List<JsonNode> wordings(Prediction asked, List<DecisionRow> rows) {
        return rows.get(asked.row()).wordings().getOrDefault(asked.name(), List.of());
    }

    private static List<JsonNode> wordings(List<Prediction> asked, List<DecisionRow> rows) {
        return asked.stream().flatMap(each -> wordings(each, rows).stream()).toList();
    }

    /** Each question once for each of its other wordings. */
    private static List<Prediction> reworded(List<Prediction> asked, List<DecisionRow> rows) {
        return asked.stream().flatMap(each -> wordings(each, rows).stream().map(wording -> each)).toList();
    }

    /** Those that are asked again with their options in another order. */
    private static List<Prediction> choices(List<Prediction> asked) {
        return asked.stream().filter(each -> each.question().kind() == DecisionQuestion.Kind.CHOICE)
                .limit(ASKED_AGAIN).toList();
    }

    private static Clusters together(List<Prediction> asked) {
        return Clusters.ofRows(asked.stream().mapToInt(Prediction::row).toArray());
    }
}
