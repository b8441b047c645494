package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An answer that a model gave in its training, to be shown.
 *
 * @param prompt what was asked last
 * @param answer the answer, with what tools said between its turns
 * @param reward its reward; NaN where it has none
 * @param parts what the reward was computed from, by name; none where it is one score
 */
@Internal(shared = true)
public record SampledAnswer(String prompt, String answer, double reward, Map<String, Double> parts) {
    /** Copies the map. */
    public SampledAnswer {
        parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
    }
}
