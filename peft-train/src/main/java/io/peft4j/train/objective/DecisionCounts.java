package io.peft4j.train.objective;

import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import java.util.Arrays;
import java.util.stream.IntStream;

/** What is counted of the questions of a batch: right answers, and losses with the logits divided by temperatures. */
final class DecisionCounts {
    /** Temperatures that calibration may choose, 1 among them, each 12 % above the one before. */
    private static final double[] TEMPERATURES = IntStream.rangeClosed(-6, 13).mapToDouble(i -> Math.pow(2, i / 6.0))
            .filter(t -> t >= DecisionSettings.LEAST_TEMPERATURE && t <= DecisionSettings.MOST_TEMPERATURE).toArray();

    private final DecisionOptions options;
    private final double[] losses = new double[TEMPERATURES.length];
    private int right;

    DecisionCounts(DecisionOptions options) {
        this.options = options;
    }

    void add(DecisionQuestion.Kind kind, double weight, double[] logits, double[] gold) {
        right += best(logits) == best(gold) ? 1 : 0;
        for (int i = 0; i < losses.length; i++) {
            double heat = TEMPERATURES[i];
            losses[i] += weight * options.loss(kind, Arrays.stream(logits).map(logit -> logit / heat).toArray(), gold,
                    new double[gold.length]);
        }
    }

    private static int best(double... values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }

    /** Questions whose likeliest option is right. */
    int right() {
        return right;
    }

    /** The weighted loss at each temperature. */
    double[] losses() {
        return losses;
    }
}
