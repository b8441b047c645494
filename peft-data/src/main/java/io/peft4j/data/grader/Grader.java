package io.peft4j.data.grader;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Says how good an answer is, for an evaluation or as the reward of a training. Used by several threads at a time.
 *
 * <pre>{@code
 * Grader shorter = (item, answer) -> answer.contains((String) item.get("fact")) ? 1 - answer.length() / 500.0 : 0;
 * }</pre>
 */
@FunctionalInterface
public interface Grader {
    /**
     * The score of an answer, a finite number; as a rule from 0 to 1.
     *
     * @param item the row that was asked, with all its keys
     * @param answer the text of the answer
     */
    double grade(Map<String, Object> item, String answer);

    /** The score with what it is made of; default: no parts. */
    default Grade inParts(Map<String, Object> item, String answer) {
        return new Grade(grade(item, answer), Map.of());
    }

    /**
     * What a grader says of an answer.
     *
     * @param reward the score
     * @param parts the scores that it was computed from, by their names; none where it is one score
     */
    record Grade(double reward, Map<String, Double> parts) {
        /** Copies the map. */
        public Grade {
            parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
        }
    }
}
