package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionCalibration.Conformal;
import io.peft4j.core.decision.DecisionCalibration.Entry;
import io.peft4j.core.decision.DecisionCalibration.Threshold;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.TrainedStates;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.apache.commons.math3.stat.interval.WilsonScoreInterval;

/**
 * Fits probabilities to rows that were kept apart from training and test: a temperature for each kind and number of
 * options, and for each question whichever of none, temperature, bias, vector scaling and, from {@value #ISOTONIC_ROWS}
 * rows on, isotonic regression has the least cross-entropy on rows that it was not fitted on (5 folds). A richer method
 * is taken only where it is better by more than a standard error. Thresholds and sets are made of the answers to rows
 * that the method was not fitted on.
 *
 * @param settings the settings with what was fitted
 * @param before mean cross-entropy by the name of each question, as the model said it before
 * @param after the same by what was fitted, on rows that it was not fitted on
 * @param entries what was fitted by the name of each question
 */
@Internal(shared = true)
public record CalibrationFit(DecisionSettings settings, Map<String, Double> before, Map<String, Double> after,
        Map<String, Entry> entries) {
    /** Rows from which on isotonic regression is tried. */
    public static final int ISOTONIC_ROWS = 1000;
    /** The fewest rows of a question. */
    public static final int LEAST_ROWS = 20;
    /** The errors that thresholds are made for, beside those that are asked for. */
    public static final List<Double> ERRORS = List.of(0.01, 0.02, 0.05, 0.1);
    private static final List<Double> COVERAGES = List.of(0.8, 0.9, 0.95);
    private static final int FOLDS = 5;
    private static final double LEVEL = 0.95;
    /** A probability that no answer has. */
    private static final double NEVER = 2;

    /** Copies the maps. */
    public CalibrationFit {
        before = Collections.unmodifiableMap(new LinkedHashMap<>(before));
        after = Collections.unmodifiableMap(new LinkedHashMap<>(after));
        entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    /** How a method makes probabilities of logits. */
    private record Fitted(String method, Scaling scaling, List<Double> from, List<Double> to) {
        double[] probabilities(Prediction row) {
            return new DecisionCalibration.Entry(row.question().kind().word(), "", row.question().names(), method, "",
                    0, boxed(scaling.weights()), boxed(scaling.biases()), from, to, List.of(), List.of())
                    .applied(row.logits());
        }
    }

    /**
     * Fits settings to judged rows.
     *
     * @param settings the model's own
     * @throws ConfigurationException when a question has fewer than {@value #LEAST_ROWS} rows, or the model was trained
     *     on some of the rows
     */
    public static CalibrationFit of(DecisionSettings settings, List<Prediction> rows, long seed) {
        return of(settings, rows, seed, List.of());
    }

    /**
     * As the other, with thresholds for further errors.
     *
     * @param wanted shares of wrong answers, between 0 and 1
     */
    public static CalibrationFit of(DecisionSettings settings, List<Prediction> rows, long seed, List<Double> wanted) {
        List<Double> errors = Stream.concat(ERRORS.stream(), wanted.stream()).distinct().sorted().toList();
        if (!(errors.get(0) > 0 && errors.get(errors.size() - 1) < 1)) {
            throw new ConfigurationException("the wanted errors are " + wanted + "; each must be between 0 and 1, such "
                    + "as 0.03 for 3 %");
        }
        requireUnseen(settings, rows);
        Map<String, Double> heats = new LinkedHashMap<>();
        Map<String, List<Prediction>> buckets = grouped(rows, row -> DecisionSettings.bucket(row.question().kind(),
                row.question().options().size()));
        buckets.forEach((bucket, some) -> heats.put(bucket, Scaling.temperature(some)));
        grouped(rows, row -> row.question().kind().word())
                .forEach((kind, some) -> heats.put(kind, Scaling.temperature(some)));
        List<Entry> entries = new ArrayList<>();
        Map<String, Entry> named = new LinkedHashMap<>();
        Map<String, Double> before = new LinkedHashMap<>();
        Map<String, Double> after = new LinkedHashMap<>();
        grouped(rows, row -> row.question().toJson().toString()).values().forEach(some -> {
            String name = some.get(0).name();
            if (some.size() < LEAST_ROWS) {
                throw new ConfigurationException("the question '" + name + "' has " + some.size() + " rows; "
                        + "a calibration needs at least " + LEAST_ROWS);
            }
            Choice choice = choose(some, seed);
            Entry entry = entry(some, choice, errors);
            entries.add(entry);
            named.put(name, entry);
            before.put(name, some.stream().mapToDouble(row -> Scaling.loss(row.gold(), settings.probabilities(
                    row.question(), row.logits()))).average().orElseThrow());
            after.put(name, mean(choice.losses()));
        });
        TrainedStates states = TrainedStates.NONE.with(rows.stream().map(Prediction::state).toList());
        return new CalibrationFit(settings.withFitted(heats, new DecisionCalibration(entries, states)), before, after,
                named);
    }

    private static void requireUnseen(DecisionSettings settings, List<Prediction> rows) {
        List<Integer> seen = rows.stream().filter(row -> settings.trained().contains(row.state())).map(Prediction::row)
                .distinct().toList();
        if (!seen.isEmpty()) {
            throw new ConfigurationException(Count.of(seen.size(), "row") + " of " + rows.stream().map(Prediction::row)
                    .distinct().count() + ", the first of them row " + (seen.get(0) + 1) + ", are among those that the "
                    + "adapter was trained on, where it is surer than elsewhere; calibrate on rows that were kept "
                    + "apart");
        }
    }

    private static Map<String, List<Prediction>> grouped(List<Prediction> rows, Function<Prediction, String> key) {
        return rows.stream().collect(Collectors.groupingBy(key, LinkedHashMap::new, Collectors.toList()));
    }

    /** A method with what it says of rows that it was not fitted on. */
    private record Choice(Fitted fitted, double[][] said, double[] losses, String reason) {
    }

    private static Choice choose(List<Prediction> rows, long seed) {
        Map<String, Function<List<Prediction>, Fitted>> methods = new LinkedHashMap<>();
        methods.put("none", some -> new Fitted("none", Scaling.ofTemperature(1, options(rows)), List.of(), List.of()));
        methods.put("temperature", some -> new Fitted("temperature", heated(some), List.of(), List.of()));
        methods.put("bias", some -> new Fitted("bias", Scaling.fitted(some, Scaling.temperature(some), false),
                List.of(), List.of()));
        methods.put("vector", some -> new Fitted("vector", Scaling.fitted(some, Scaling.temperature(some), true),
                List.of(), List.of()));
        if (rows.size() >= ISOTONIC_ROWS) {
            methods.put("isotonic", CalibrationFit::isotonic);
        }
        int[] folds = folds(rows.size(), seed);
        List<String> tried = new ArrayList<>();
        Choice best = null;
        for (Map.Entry<String, Function<List<Prediction>, Fitted>> method : methods.entrySet()) {
            double[][] said = crossed(rows, folds, method.getValue());
            double[] losses = IntStream.range(0, said.length).mapToDouble(i -> Scaling.loss(rows.get(i).gold(),
                    said[i])).toArray();
            tried.add(String.format(Locale.ROOT, "%s %.4f", method.getKey(), mean(losses)));
            if (best == null || isBetter(losses, best.losses())) {
                best = new Choice(method.getValue().apply(rows), said, losses, "");
            }
        }
        return new Choice(best.fitted(), best.said(), best.losses(), "cross-entropy on rows not fitted on: "
                + String.join(", ", tried) + "; " + best.fitted().method() + " is the simplest within a standard error "
                + "of better");
    }

    private static boolean isBetter(double[] losses, double[] than) {
        double[] gains = IntStream.range(0, losses.length).mapToDouble(i -> than[i] - losses[i]).toArray();
        double mean = mean(gains);
        double variance = Arrays.stream(gains).map(gain -> (gain - mean) * (gain - mean)).sum() / (gains.length - 1);
        return mean > Math.sqrt(variance / gains.length);
    }

    private static int options(List<Prediction> rows) {
        return rows.get(0).gold().length;
    }

    private static Scaling heated(List<Prediction> rows) {
        return Scaling.ofTemperature(Scaling.temperature(rows), options(rows));
    }

    private static Fitted isotonic(List<Prediction> rows) {
        Scaling scaling = heated(rows);
        List<double[]> pairs = new ArrayList<>();
        rows.forEach(row -> {
            double[] said = scaling.probabilities(row.logits());
            IntStream.range(0, said.length).forEach(i -> pairs.add(new double[] {said[i], row.gold()[i]}));
        });
        Isotonic steps = Isotonic.of(pairs);
        return new Fitted("isotonic", scaling, steps.from(), steps.to());
    }

    private static int[] folds(int rows, long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, rows).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        int[] folds = new int[rows];
        IntStream.range(0, rows).forEach(i -> folds[order.get(i)] = i % FOLDS);
        return folds;
    }

    private static double[][] crossed(List<Prediction> rows, int[] folds, Function<List<Prediction>, Fitted> method) {
        double[][] said = new double[rows.size()][];
        for (int fold = 0; fold < FOLDS; fold++) {
            int held = fold;
            Fitted fitted = method.apply(IntStream.range(0, rows.size()).filter(i -> folds[i] != held)
                    .mapToObj(rows::get).toList());
            IntStream.range(0, rows.size()).filter(i -> folds[i] == held)
                    .forEach(i -> said[i] = fitted.probabilities(rows.get(i)));
        }
        return said;
    }

    private static Entry entry(List<Prediction> rows, Choice choice, List<Double> errors) {
        DecisionQuestion question = rows.get(0).question();
        Fitted fitted = choice.fitted();
        boolean[] right = new boolean[rows.size()];
        double[] certainty = new double[rows.size()];
        double[] scores = new double[rows.size()];
        for (int i = 0; i < right.length; i++) {
            double[] said = choice.said()[i];
            right[i] = Prediction.best(said) == rows.get(i).right();
            certainty[i] = said[Prediction.best(said)];
            scores[i] = 1 - said[rows.get(i).right()];
        }
        return new Entry(question.kind().word(), question.text(), question.names(), fitted.method(), choice.reason(),
                rows.size(), boxed(fitted.scaling().weights()), boxed(fitted.scaling().biases()), fitted.from(),
                fitted.to(), errors.stream().map(error -> threshold(error, certainty, right)).toList(),
                COVERAGES.stream().map(coverage -> conformal(coverage, scores)).toList());
    }

    /**
     * The least probability from which on the share of wrong answers is, at a confidence of 95 %, at most the wanted
     * one: an upper bound by Clopper and Pearson, and no share that a few rows happen to have.
     */
    static Threshold threshold(double error, double[] certainty, boolean[] right) {
        Integer[] order = IntStream.range(0, right.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, (a, b) -> Double.compare(certainty[b], certainty[a]));
        int wrong = 0;
        int covered = 0;
        double least = NEVER;
        for (int i = 0; i < order.length; i++) {
            wrong += right[order[i]] ? 0 : 1;
            boolean same = i + 1 < order.length && certainty[order[i + 1]] == certainty[order[i]];
            if (!same && upper(i + 1, wrong) <= error) {
                covered = i + 1;
                least = certainty[order[i]];
            }
        }
        ConfidenceInterval interval = new WilsonScoreInterval().createInterval(right.length, covered, LEVEL);
        return new Threshold(error, least, (double) covered / right.length, Math.max(0, interval.getLowerBound()),
                Math.min(1, interval.getUpperBound()));
    }

    private static double upper(int rows, int wrong) {
        return wrong == rows ? 1 : new BetaDistribution(null, wrong + 1, rows - wrong)
                .inverseCumulativeProbability(LEVEL);
    }

    private static Conformal conformal(double coverage, double... scores) {
        double[] sorted = scores.clone();
        Arrays.sort(sorted);
        int place = (int) Math.ceil((sorted.length + 1) * coverage);
        return new Conformal(coverage, place > sorted.length ? 1 : sorted[place - 1]);
    }

    private static double mean(double... values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static List<Double> boxed(double... values) {
        return Arrays.stream(values).boxed().toList();
    }

    /**
     * Isotonic regression by pooling adjacent violators (Zadrozny and Elkan 2002): the rising steps that are nearest to
     * pairs of a probability and what was right.
     *
     * @param from probabilities, ascending: the mean of those of each step
     * @param to what stands for each
     */
    record Isotonic(List<Double> from, List<Double> to) {
        private record Block(double x, double y, double weight) {
            Block and(Block next) {
                double both = weight + next.weight;
                return new Block((x * weight + next.x * next.weight) / both, (y * weight + next.y * next.weight) / both,
                        both);
            }
        }

        /** Fits pairs {@code [probability, right]}. */
        static Isotonic of(List<double[]> pairs) {
            double[][] sorted = pairs.toArray(double[][]::new);
            Arrays.sort(sorted, Comparator.comparingDouble(pair -> pair[0]));
            List<Block> blocks = new ArrayList<>();
            for (double[] pair : sorted) {
                Block last = new Block(pair[0], pair[1], 1);
                while (!blocks.isEmpty() && (blocks.get(blocks.size() - 1).y() >= last.y()
                        || blocks.get(blocks.size() - 1).x() == last.x())) {
                    last = blocks.remove(blocks.size() - 1).and(last);
                }
                blocks.add(last);
            }
            return new Isotonic(blocks.stream().map(Block::x).toList(), blocks.stream().map(Block::y).toList());
        }
    }
}
