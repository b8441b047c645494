package io.peft4j.eval.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One way of answering the items.
 *
 * @param name its name: {@code base}, {@code tuned}, {@code few-shot}, ...
 * @param description what answered, and how it was asked
 * @param answers one for each item
 * @param scores its metrics, by name
 * @param seconds how long the answers took; 0 where they were given or all known from an earlier run
 */
public record ArmResult(String name, String description, List<String> answers, Map<String, Double> scores,
        double seconds) {
    /** Copies the collections. */
    public ArmResult {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        answers = List.copyOf(answers);
        scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
    }
}
