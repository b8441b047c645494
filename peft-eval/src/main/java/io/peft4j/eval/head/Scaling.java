package io.peft4j.eval.head;

import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionSettings;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.math3.optim.InitialGuess;
import org.apache.commons.math3.optim.MaxEval;
import org.apache.commons.math3.optim.SimpleValueChecker;
import org.apache.commons.math3.optim.nonlinear.scalar.GoalType;
import org.apache.commons.math3.optim.nonlinear.scalar.ObjectiveFunction;
import org.apache.commons.math3.optim.nonlinear.scalar.ObjectiveFunctionGradient;
import org.apache.commons.math3.optim.nonlinear.scalar.gradient.NonLinearConjugateGradientOptimizer;
import org.apache.commons.math3.optim.univariate.BrentOptimizer;
import org.apache.commons.math3.optim.univariate.SearchInterval;
import org.apache.commons.math3.optim.univariate.UnivariateObjectiveFunction;

/**
 * Logits to probabilities: {@code softmax(weights * logits + biases)}, fitted by the cross-entropy with what is right
 * (<a href="https://arxiv.org/abs/1706.04599">1706.04599</a>).
 *
 * @param weights a factor for each option
 * @param biases what is added for each option
 */
record Scaling(double[] weights, double[] biases) {
    private static final double EXACT = 1e-6;
    private static final int STEPS = 2000;

    /** One factor for all options. */
    static Scaling ofTemperature(double temperature, int options) {
        double[] weights = new double[options];
        Arrays.fill(weights, 1 / temperature);
        return new Scaling(weights, new double[options]);
    }

    double[] probabilities(double... logits) {
        double[] scaled = new double[logits.length];
        Arrays.setAll(scaled, i -> weights[i] * logits[i] + biases[i]);
        return DecisionCalibration.softmax(scaled);
    }

    /** The cross-entropy of probabilities, where nothing is impossible. */
    static double loss(double[] gold, double[] said) {
        return IntStream.range(0, gold.length).filter(i -> gold[i] > 0)
                .mapToDouble(i -> -gold[i] * Math.log(Math.max(said[i], 1e-12))).sum();
    }

    /** The temperature that fits best, within the bounds of {@link DecisionSettings}; questions may differ. */
    static double temperature(List<Prediction> rows) {
        return Math.exp(new BrentOptimizer(EXACT, EXACT).optimize(new MaxEval(STEPS), GoalType.MINIMIZE,
                new UnivariateObjectiveFunction(log -> rows.stream().mapToDouble(row -> loss(row.gold(),
                        ofTemperature(Math.exp(log), row.gold().length).probabilities(row.logits()))).sum()),
                new SearchInterval(Math.log(DecisionSettings.LEAST_TEMPERATURE),
                        Math.log(DecisionSettings.MOST_TEMPERATURE), 0))
                .getPoint());
    }

    /**
     * Biases with a weight for all options, or with one for each. What is fitted is held near the temperature alone as
     * by one more row, so that a few rows do not move it far.
     */
    static Scaling fitted(List<Prediction> rows, double temperature, boolean vector) {
        int n = rows.get(0).gold().length;
        double factor = 1 / temperature;
        double[] found = new NonLinearConjugateGradientOptimizer(
                NonLinearConjugateGradientOptimizer.Formula.POLAK_RIBIERE, new SimpleValueChecker(EXACT, EXACT))
                .optimize(new MaxEval(STEPS * n), GoalType.MINIMIZE,
                        new InitialGuess(new double[vector ? 2 * n : n + 1]),
                        new ObjectiveFunction(point -> cost(rows, factor, point, new double[point.length])),
                        new ObjectiveFunctionGradient(point -> {
                            double[] gradient = new double[point.length];
                            cost(rows, factor, point, gradient);
                            return gradient;
                        }))
                .getPoint();
        return of(found, factor, n);
    }

    private static Scaling of(double[] point, double factor, int n) {
        double[] weights = new double[n];
        Arrays.setAll(weights, i -> factor + point[place(point, n, i)]);
        return new Scaling(weights, Arrays.copyOf(point, n));
    }

    /** Where the weight of an option is behind the biases. */
    private static int place(double[] point, int n, int option) {
        return point.length == 2 * n ? n + option : n;
    }

    private static double cost(List<Prediction> rows, double factor, double[] point, double[] gradient) {
        int n = rows.get(0).gold().length;
        Scaling scaling = of(point, factor, n);
        double sum = 0;
        for (Prediction row : rows) {
            double[] said = scaling.probabilities(row.logits());
            sum += loss(row.gold(), said);
            for (int i = 0; i < n; i++) {
                double off = said[i] - row.gold()[i];
                gradient[i] += off;
                gradient[place(point, n, i)] += off * row.logits()[i];
            }
        }
        for (int i = 0; i < point.length; i++) {
            sum += point[i] * point[i] / 2;
            gradient[i] = (gradient[i] + point[i]) / rows.size();
        }
        return sum / rows.size();
    }
}
