package io.peft4j.eval.head;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.eval.comparison.PairedDifference;
import io.peft4j.eval.metric.CalibrationError;
import io.peft4j.eval.report.Curve;
import io.peft4j.eval.statistics.Resampled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.ranking.NaturalRanking;

/**
 * What probabilities of questions are worth: the negative log-likelihood and the Brier score
 * {@code sum (p - y)^2} against what is right as the rows say it, soft or certain; how far the probability of the
 * likeliest option is from the share that is right, in 15 bins of equal width and of equal mass
 * (<a href="https://arxiv.org/abs/1904.01685">1904.01685</a>) and with its sign; and the area under the curve of risk
 * and coverage (<a href="https://arxiv.org/abs/1805.08206">1805.08206</a>), of equally sure answers the mean over their
 * orders. Calibration errors are not compared: chance makes them larger, and unequally so in two arms.
 */
final class DecisionMeasures {
    private static final int BINS = 15;
    private static final String LIKELIHOOD = "log_likelihood";
    private static final double LEAST = 1e-12;
    /** Draws of answers that are right as often as their probabilities say. */
    private static final int EXACT_DRAWS = 1000;

    private final List<Prediction> asked;
    private final double[][] said;
    private final boolean[] right;
    private final double[] certainty;

    DecisionMeasures(List<Prediction> asked, double[][] said) {
        this(asked, said, new boolean[said.length], new double[said.length]);
        for (int i = 0; i < said.length; i++) {
            int best = Prediction.best(said[i]);
            right[i] = best == asked.get(i).right();
            certainty[i] = Math.min(1, said[i][best]);
        }
    }

    private DecisionMeasures(List<Prediction> asked, double[][] said, boolean[] right, double[] certainty) {
        this.asked = asked;
        this.said = said;
        this.right = right;
        this.certainty = certainty;
    }

    boolean[] right() {
        return right;
    }

    /** Adds the measures of this arm, the base, and of the tuned one. */
    void add(PairedMeasures measures, DecisionMeasures tuned) {
        measures.nats(LIKELIHOOD, likelihoods(), tuned.likelihoods());
        measures.means("nll", negated(likelihoods()), negated(tuned.likelihoods()));
        measures.means("brier", squares(), tuned.squares());
        measures.means("signed_gap", gaps(), tuned.gaps());
        measures.errors("ece", error(DecisionMeasures::equalWidth), ofExact(DecisionMeasures::equalWidth),
                tuned.error(DecisionMeasures::equalWidth), tuned.ofExact(DecisionMeasures::equalWidth));
        measures.errors("ece_equal_mass", error(DecisionMeasures::equalMass), ofExact(DecisionMeasures::equalMass),
                tuned.error(DecisionMeasures::equalMass), tuned.ofExact(DecisionMeasures::equalMass));
        measures.resampled("aurc", statistic(this::risk), tuned.statistic(tuned::risk));
        addLosses(measures, "", tuned);
    }

    /** Adds the comparison of this arm, which stands for what can be had without a model, with the tuned one. */
    void addOver(PairedMeasures measures, String over, DecisionMeasures tuned) {
        measures.yesNo(over.isEmpty() ? "accuracy" : over.substring(1), right, tuned.right);
        if (over.isEmpty()) {
            measures.nats(LIKELIHOOD, likelihoods(), tuned.likelihoods());
        }
        addLosses(measures, over, tuned);
    }

    private void addLosses(PairedMeasures measures, String over, DecisionMeasures tuned) {
        measures.losses("brier" + over, squares(), tuned.squares());
        measures.losses("aurc" + over, riskDifference(tuned));
    }

    /** The difference of the areas, for rows. */
    PairedDifference riskDifference(DecisionMeasures tuned) {
        return new RiskDifference(ranked(), tuned.ranked(), Clusters.ofRows(asked.stream().mapToInt(Prediction::row)
                .toArray()));
    }

    private record RiskDifference(DecisionMeasures first, DecisionMeasures second, Clusters clusters)
            implements
                PairedDifference {
        @Override
        public int size() {
            return clusters.isNone() ? first.said.length : clusters.places().size();
        }

        @Override
        public double base() {
            return first.risk(first.all());
        }

        @Override
        public double tuned() {
            return second.risk(second.all());
        }

        @Override
        public double of(int[] places) {
            int[] items = clusters.expanded(places);
            return second.risk(items) - first.risk(items);
        }

        @Override
        public double without(int place) {
            return of(IntStream.range(0, size()).filter(i -> i != place).toArray());
        }

        @Override
        public double exchanged(boolean[] places) {
            boolean[] items = clusters.expanded(places);
            return second.mixed(first, items).risk(second.all()) - first.mixed(second, items).risk(first.all());
        }
    }

    /** The same order of answers, with ranks for probabilities, so that those of two models can be exchanged. */
    private DecisionMeasures ranked() {
        return new DecisionMeasures(asked, said, right, new NaturalRanking().rank(certainty));
    }

    private DecisionMeasures mixed(DecisionMeasures other, boolean... ofOther) {
        boolean[] rights = right.clone();
        double[] certainties = certainty.clone();
        for (int i = 0; i < ofOther.length; i++) {
            rights[i] = ofOther[i] ? other.right[i] : right[i];
            certainties[i] = ofOther[i] ? other.certainty[i] : certainty[i];
        }
        return new DecisionMeasures(asked, said, rights, certainties);
    }

    private int[] all() {
        return IntStream.range(0, said.length).toArray();
    }

    Resampled error(ToDoubleBiFunction<DecisionMeasures, int[]> of) {
        return statistic(places -> of.applyAsDouble(this, places));
    }

    /** An error as it is where each answer is right with the probability that was said. */
    double[] ofExact(ToDoubleBiFunction<DecisionMeasures, int[]> error) {
        SplittableRandom random = new SplittableRandom(0);
        int[] all = all();
        return IntStream.range(0, EXACT_DRAWS).mapToDouble(draw -> {
            boolean[] drawn = new boolean[all.length];
            IntStream.of(all).forEach(i -> drawn[i] = random.nextDouble() < certainty[i]);
            return error.applyAsDouble(new DecisionMeasures(asked, said, drawn, certainty), all);
        }).toArray();
    }

    private static double[] negated(double[] values) {
        return Arrays.stream(values).map(value -> -value).toArray();
    }

    private double[] likelihoods() {
        return IntStream.range(0, said.length).mapToDouble(i -> IntStream.range(0, said[i].length)
                .mapToDouble(k -> asked.get(i).gold()[k] * Math.log(Math.max(LEAST, said[i][k]))).sum()).toArray();
    }

    private double[] squares() {
        return IntStream.range(0, said.length).mapToDouble(i -> IntStream.range(0, said[i].length)
                .mapToDouble(k -> Math.pow(said[i][k] - asked.get(i).gold()[k], 2)).sum()).toArray();
    }

    /** Above 0 where answers are surer than they are right. */
    private double[] gaps() {
        return IntStream.range(0, said.length).mapToDouble(i -> certainty[i] - (right[i] ? 1 : 0)).toArray();
    }

    double equalWidth(int[] places) {
        boolean[] chosen = new boolean[places.length];
        for (int i = 0; i < places.length; i++) {
            chosen[i] = right[places[i]];
        }
        return CalibrationError.expectedError(IntStream.of(places).mapToDouble(i -> certainty[i]).toArray(), chosen,
                BINS);
    }

    private static Integer[] boxed(int... places) {
        return IntStream.of(places).boxed().toArray(Integer[]::new);
    }

    /** The places from the surest answer to the least sure one. */
    private Integer[] surest(int... places) {
        Integer[] order = boxed(places);
        Arrays.sort(order, (a, b) -> Double.compare(certainty[b], certainty[a]));
        return order;
    }

    double equalMass(int[] places) {
        Integer[] order = surest(places);
        double error = 0;
        for (int bin = 0; bin < BINS; bin++) {
            double off = 0;
            for (int i = bin * order.length / BINS; i < (bin + 1) * order.length / BINS; i++) {
                off += certainty[order[i]] - (right[order[i]] ? 1 : 0);
            }
            error += Math.abs(off) / order.length;
        }
        return error;
    }

    double risk(int[] places) {
        // Probabilities sort as their bits do; the last of these makes way for whether the answer is wrong.
        long[] sorted = IntStream.of(places).mapToLong(i -> Double.doubleToLongBits(certainty[i]) & -2L
                | (right[i] ? 0 : 1)).sorted().toArray();
        double wrong = 0;
        double area = 0;
        for (int to = sorted.length; to > 0;) {
            int from = to;
            long alike = 0;
            while (from > 0 && sorted[from - 1] >> 1 == sorted[to - 1] >> 1) {
                alike += sorted[--from] & 1;
            }
            for (int i = 1; i <= to - from; i++) {
                area += (wrong + (double) alike * i / (to - from)) / (sorted.length - to + i) / sorted.length;
            }
            wrong += alike;
            to = from;
        }
        return area;
    }

    private Resampled statistic(ToDoubleFunction<int[]> of) {
        int n = said.length;
        return new Resampled() {
            @Override
            public int size() {
                return n;
            }

            @Override
            public double of(int[] places) {
                return of.applyAsDouble(places);
            }

            @Override
            public double ofAll() {
                return of.applyAsDouble(all());
            }

            @Override
            public double without(int place) {
                return of.applyAsDouble(IntStream.range(0, n).filter(i -> i != place).toArray());
            }
        };
    }

    /** The share that is right by the probability of the likeliest option, in bins of equal mass. */
    Curve.Line reliability(String name) {
        Integer[] order = surest(IntStream.range(0, said.length).toArray());
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        int bins = Math.min(BINS, order.length);
        for (int bin = bins - 1; bin >= 0; bin--) {
            int from = bin * order.length / bins;
            int to = (bin + 1) * order.length / bins;
            x.add(IntStream.range(from, to).mapToDouble(i -> certainty[order[i]]).average().orElseThrow());
            y.add(IntStream.range(from, to).mapToDouble(i -> right[order[i]] ? 1 : 0).average().orElseThrow());
        }
        return new Curve.Line(name, x, y);
    }

    /** The share of wrong answers by the share of answers that are kept, the surest first. */
    Curve.Line coverage(String name) {
        Integer[] order = surest(IntStream.range(0, said.length).toArray());
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        double wrong = 0;
        for (int i = 0; i < order.length; i++) {
            wrong += right[order[i]] ? 0 : 1;
            x.add((i + 1.0) / order.length);
            y.add(wrong / (i + 1));
        }
        return new Curve.Line(name, x, y);
    }

    /** Whether choices change when their options are read from the middle on. */
    static boolean[] flips(DecisionModel model, List<Prediction> choices) {
        return flips(model, choices, model.logits(choices.stream().map(each -> request(each, each.question()
                .instructions())).toList(), DecisionMeasures::turned));
    }

    /** Whether answers change when the same is asked in other words; what was fitted to the question stays. */
    static boolean[] flipsOf(DecisionModel model, List<Prediction> asked, List<JsonNode> wordings) {
        return flips(model, asked, model.logits(IntStream.range(0, asked.size()).mapToObj(i -> request(asked.get(i),
                wordings.get(i))).toList()));
    }

    private static DecisionRequest request(Prediction asked, JsonNode instructions) {
        return new DecisionRequest(asked.state(), Map.of(asked.name(), new DecisionQuestion(asked.question().kind(),
                instructions, asked.question().options())));
    }

    private static boolean[] flips(DecisionModel model, List<Prediction> before, List<double[]> again) {
        boolean[] flips = new boolean[before.size()];
        for (int i = 0; i < flips.length; i++) {
            Prediction asked = before.get(i);
            flips[i] = Prediction.best(model.settings().probabilities(asked.question(), again.get(i))) != Prediction
                    .best(model.settings().probabilities(asked.question(), asked.logits()));
        }
        return flips;
    }

    private static int[] turned(int options) {
        return IntStream.range(0, options).map(i -> (i + (options + 1) / 2) % options).toArray();
    }
}
