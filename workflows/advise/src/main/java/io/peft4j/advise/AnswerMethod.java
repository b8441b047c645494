package io.peft4j.advise;

import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.statistics.Interval;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * One way to get answers, and what it reached on the held-out items.
 *
 * @param name its name, for instance {@code few-shot}
 * @param description how it is asked, or what it was trained on
 * @param kind prompt or training
 * @param scores the score of each item, from 0 to 1; empty of a model with a head, whose rows are scored together
 * @param score their mean
 * @param interval 95 % interval of the mean
 * @param seconds time to prepare it (to train, to choose a prompt) and to answer the items
 * @param share of a training, the share of a whole one that there was time for; 1 where nothing was left out
 * @param secondsAnAnswer time of one answer
 * @param cost of {@code seconds} at the price of the machine, where that is known
 */
public record AnswerMethod(String name, String description, Kind kind, List<Double> scores, double score,
        Interval interval,
        double seconds, double share, double secondsAnAnswer, OptionalDouble cost) {
    /** Whether something is trained. */
    public enum Kind {
        /** What needs no training: the base model, as it is or with a prompt, or the most similar training row. */
        PROMPT,
        /** A model that was trained. */
        TRAINING
    }

    /** Copies the list. */
    public AnswerMethod {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        Objects.requireNonNull(kind, "kind");
        scores = List.copyOf(scores);
    }

    /** Whether it answers as the most similar training row does. */
    boolean isLookup() {
        return name.equals(Verdict.LOOKUP);
    }

    /** The same of a training that was cut down to a share. */
    AnswerMethod ofShare(double part) {
        return new AnswerMethod(name, description, kind, scores, score, interval, seconds, part, secondsAnAnswer, cost);
    }

    /** Whether a training was cut down for time: such a one may win, and never lose. */
    public boolean isCutDown() {
        return share < 1;
    }
}
