package io.peft4j.train.objective;

import java.util.Map;
import java.util.Optional;

/**
 * The options that are given for objectives.
 *
 * @param given the values by {@link ObjectiveOption#name}
 */
public record ObjectiveValues(Map<String, Object> given) {
    /** Copies the values. */
    public ObjectiveValues {
        given = Map.copyOf(given);
    }

    /** None: the usual ones hold. */
    public static ObjectiveValues none() {
        return new ObjectiveValues(Map.of());
    }

    /** The value that is given, or the usual one of an option that has one. */
    public <T> T get(ObjectiveOption<T> option) {
        return find(option).orElseThrow();
    }

    /** The value that is given, or the usual one, if any. */
    public <T> Optional<T> find(ObjectiveOption<T> option) {
        return Optional.ofNullable(given.get(option.name())).map(option.type()::cast).or(option::usual);
    }
}
