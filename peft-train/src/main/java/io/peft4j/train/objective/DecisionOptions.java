package io.peft4j.train.objective;

import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * How decisions are learned.
 *
 * @param question what is asked of rows that have a label and no question
 * @param weights by the names of questions the weight of their losses, where not 1
 * @param smoothing the share of each target that is spread evenly over all options, from 0 to below 1
 * @param ordinal the weight of the mean distance between the levels of a score that are said and those that are right,
 *     in shares of the scale; 0: levels are as different as options
 * @param drawnOrders whether each example of a choice has its options in an order of its own, so that no place is
 *     learned in the place of an option
 * @param namesAsLabels whether a chat model answers a choice by the first token of an option's name, where these
 *     differ; else by letters
 */
public record DecisionOptions(String question, Map<String, Double> weights, double smoothing, double ordinal,
        boolean drawnOrders, boolean namesAsLabels) {
    /** The usual ones. */
    public static final DecisionOptions DEFAULT = new DecisionOptions("Which of the options fits best?", Map.of(), 0, 0,
            false, true);

    /** Checks the values. */
    public DecisionOptions {
        Objects.requireNonNull(question, "question");
        weights = Map.copyOf(weights);
        weights.forEach((name, weight) -> DpoOptions.requireAboveZero("the weight of question '" + name + "'", weight));
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new ConfigurationException("label smoothing is " + smoothing + "; it must be from 0 to below 1");
        }
        if (!(ordinal >= 0 && ordinal < Double.POSITIVE_INFINITY)) {
            throw new ConfigurationException("the weight of ordinal distances is " + ordinal
                    + "; it must be at least 0");
        }
    }

    /** Weights from {@code name=weight,name=weight}; an empty text is none. */
    static Map<String, Double> weights(String text) {
        Map<String, Double> weights = new LinkedHashMap<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(",")) {
            int equals = part.lastIndexOf('=');
            try {
                weights.put(part.substring(0, equals).strip(), Double.parseDouble(part.substring(equals + 1)));
            } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
                throw new ConfigurationException("the weight of a question is '" + part + "'; write it as NAME=WEIGHT",
                        e);
            }
        }
        return weights;
    }

    /** The same with another smoothing. */
    DecisionOptions withSmoothing(double share) {
        return new DecisionOptions(question, weights, share, ordinal, drawnOrders, namesAsLabels);
    }

    /** By name, for a training that is resumed. */
    Map<String, String> settings() {
        return Map.of("question", question, "question_weights", new TreeMap<>(weights).toString(), "label_smoothing",
                String.valueOf(smoothing), "ordinal_distance", String.valueOf(ordinal), "option_orders",
                drawnOrders ? "drawn" : "fixed", "option_labels", namesAsLabels ? "names" : "letters");
    }

    /**
     * The loss of a question, soft cross-entropy with what the options add.
     *
     * @param kind the kind of the question
     * @param logits of its options
     * @param gold their probabilities
     * @param gradient gets the derivatives by the logits
     */
    double loss(DecisionQuestion.Kind kind, double[] logits, double[] gold, double[] gradient) {
        int n = logits.length;
        double[] p = DecisionCalibration.softmax(logits);
        double max = Arrays.stream(logits).max().orElseThrow();
        double norm = max + Math.log(Arrays.stream(logits).map(z -> Math.exp(z - max)).sum());
        double sum = 0;
        for (int i = 0; i < n; i++) {
            double target = (1 - smoothing) * gold[i] + smoothing / n;
            sum += target * (norm - logits[i]);
            gradient[i] = p[i] - target;
        }
        if (ordinal > 0 && kind == DecisionQuestion.Kind.SCORE) {
            double[] far = new double[n];
            double mean = 0;
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    far[i] += gold[j] * Math.abs(i - j) / (n - 1);
                }
                mean += p[i] * far[i];
            }
            for (int i = 0; i < n; i++) {
                gradient[i] += ordinal * p[i] * (far[i] - mean);
            }
            sum += ordinal * mean;
        }
        return sum;
    }
}
