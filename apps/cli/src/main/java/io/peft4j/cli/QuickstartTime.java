package io.peft4j.cli;

import io.peft4j.core.model.ModelDescription;
import java.util.EnumMap;
import java.util.Map;

/**
 * The time that a quickstart takes until its end: foreseen from the machine's speed in large products, and corrected by
 * what its parts have taken so far. It decides nothing.
 */
final class QuickstartTime {
    /** What takes time, in its order. */
    enum Part {
        BASE_ANSWERS, TRAINING, TUNED_ANSWERS, COMPARISON
    }

    /** The built-in data: tokens and supervised tokens of an epoch, tokens of the questions and of the guard set. */
    private static final double TOKENS = 13_400;
    private static final double SUPERVISED = 7_400;
    private static final double ASKED = 88 * 80;
    private static final double GUARDED = 735 * 20;
    /** The share of the speed of large products that trainings and answers have. */
    private static final double SHARE = 0.45;

    private final Map<Part, Double> expected = new EnumMap<>(Part.class);
    private double foreseen;
    private double taken;

    /**
     * The time of a plan.
     *
     * @param gflops speed of large products, in 10^9 operations a second
     */
    QuickstartTime(QuickstartPlan plan, ModelDescription model, double gflops) {
        // Two operations a parameter and token forward, as many back through frozen weights.
        double head = (double) model.vocabularySize() * model.hiddenSize();
        double body = model.parameters() - head;
        double upper = body * plan.layers() / model.layers();
        double answer = 2 * (body + head) / (SHARE * gflops * 1e9);
        expected.put(Part.BASE_ANSWERS, answer * ASKED / plan.every());
        expected.put(Part.TRAINING, (2 * (body - upper) * TOKENS + plan.epochs() * 4
                * (upper * TOKENS + head * SUPERVISED)) / (SHARE * gflops * 1e9));
        expected.put(Part.TUNED_ANSWERS, answer * ASKED / plan.every());
        expected.put(Part.COMPARISON, plan.guard() ? answer * 2 * GUARDED : 0.0);
    }

    /** Says that the base model's answers are known, to the questions and so to the guard set. */
    void skipBaseAnswers() {
        expected.put(Part.BASE_ANSWERS, 0.0);
        expected.computeIfPresent(Part.COMPARISON, (part, seconds) -> seconds / 2);
    }

    /** A part has ended, after so many seconds. */
    void took(Part part, double seconds) {
        foreseen += expected.put(part, 0.0);
        taken += seconds;
    }

    /** Seconds until the end of the last part. */
    double left() {
        double correction = foreseen > 0 ? taken / foreseen : 1;
        return correction * expected.values().stream().mapToDouble(Double::doubleValue).sum();
    }
}
