package io.peft4j.eval;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.task.EvaluationItem;
import java.util.List;
import java.util.Objects;

/**
 * How many questions a model answers right.
 *
 * @param outcomes one for each question, in their order
 */
public record FactReport(List<Outcome> outcomes) {
    /**
     * A question and what became of it.
     *
     * @param question the question
     * @param answer what the model answered
     * @param correct whether the answer is right
     */
    public record Outcome(EvaluationItem question, String answer, boolean correct) {
        /** Refuses null. */
        public Outcome {
            Objects.requireNonNull(question, "question");
            Objects.requireNonNull(answer, "answer");
        }
    }

    /** Copies the list; there is at least one question. */
    public FactReport {
        outcomes = List.copyOf(outcomes);
        if (outcomes.isEmpty()) {
            throw new ConfigurationException("no questions to ask: a report needs at least one");
        }
    }

    /** The number of questions. */
    public int total() {
        return outcomes.size();
    }

    /** The number of questions that are answered right. */
    public int correct() {
        return (int) outcomes.stream().filter(Outcome::correct).count();
    }

    /** The share of questions that are answered right, from 0 to 1. */
    public double share() {
        return (double) correct() / total();
    }

    /** {@code 71 of 88 (81 %)}. */
    @Override
    public String toString() {
        return correct() + " of " + total() + " (" + Math.round(100 * share()) + " %)";
    }
}
