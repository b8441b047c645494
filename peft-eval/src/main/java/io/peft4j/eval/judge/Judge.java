package io.peft4j.eval.judge;

import io.peft4j.eval.task.EvaluationItem;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/** Judges answers, alone and in pairs. It never throws for one answer: what went wrong is part of the outcome. */
public interface Judge {
    /** The highest number of points; 1 is the lowest. */
    int MOST_POINTS = 5;

    /** Who judges, for reports. */
    String name();

    /** Points for one answer. */
    Rating rate(EvaluationItem item, String answer);

    /** Which of two answers is better; asked in both orders, since judges favour a position. */
    Preference compare(EvaluationItem item, String first, String second);

    /**
     * Why a judgement is missing.
     *
     * @param unparsable whether the judge answered, but not in the form asked for; else it could not be asked
     * @param message what happened
     */
    record Trouble(boolean unparsable, String message) {
    }

    /**
     * Points for an answer.
     *
     * @param points from 1 to {@link #MOST_POINTS}; empty on trouble
     * @param trouble why there are none
     */
    record Rating(OptionalInt points, Optional<Trouble> trouble) {
        /** Exactly one of the two is there. */
        public Rating {
            if (points.isPresent() == trouble.isPresent()) {
                throw new IllegalArgumentException("a rating has points or trouble: " + points + ", " + trouble);
            }
        }

        /** These points. */
        public static Rating of(int points) {
            return new Rating(OptionalInt.of(points), Optional.empty());
        }

        /** No points. */
        public static Rating failed(Trouble trouble) {
            return new Rating(OptionalInt.empty(), Optional.of(trouble));
        }
    }

    /** Which of two answers is better. */
    enum Choice {
        /** The first. */
        FIRST,
        /** The second. */
        SECOND,
        /** Neither. */
        TIE,
        /** The judge prefers the one at the same place in both orders: it says nothing of the answers. */
        INCONSISTENT
    }

    /**
     * Which of two answers is better.
     *
     * @param choice empty on trouble
     * @param trouble why there is none
     */
    record Preference(Optional<Choice> choice, Optional<Trouble> trouble) {
        /** Exactly one of the two is there. */
        public Preference {
            Objects.requireNonNull(choice, "choice");
            if (choice.isPresent() == trouble.isPresent()) {
                throw new IllegalArgumentException("a preference has a choice or trouble: " + choice + ", " + trouble);
            }
        }

        /** This choice. */
        public static Preference of(Choice choice) {
            return new Preference(Optional.of(choice), Optional.empty());
        }

        /** No choice. */
        public static Preference failed(Trouble trouble) {
            return new Preference(Optional.empty(), Optional.of(trouble));
        }
    }
}
