package io.peft4j.data.grader;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a grader says of an answer.
 *
 * @param reward the score
 * @param parts the scores that it was computed from, by their names; none where it is one score
 */
public record Grade(double reward, Map<String, Double> parts) {
    /** Copies the map. */
    public Grade {
        parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
    }
}
