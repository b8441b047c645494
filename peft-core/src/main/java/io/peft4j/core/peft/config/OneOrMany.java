package io.peft4j.core.peft.config;

import java.util.List;

/**
 * Values of a configuration key that may be written as one item or as a list, {@code 3} or {@code [3]}. Which of the
 * two it was is kept, so that a file is written back as it was read; nothing else depends on it.
 *
 * @param values the values; empty when the key is unset
 * @param single whether it is written as one item
 * @param <T> type of an item
 */
public record OneOrMany<T>(List<T> values, boolean single) {
    /** Copies the list. */
    public OneOrMany {
        values = List.copyOf(values);
        if (single && values.size() != 1) {
            throw new IllegalArgumentException("a single item, but there are " + values.size());
        }
    }

    /** The key is unset: JSON null. */
    public static <T> OneOrMany<T> none() {
        return new OneOrMany<>(List.of(), false);
    }

    /** Written as a list. */
    public static <T> OneOrMany<T> many(List<T> values) {
        return new OneOrMany<>(values, false);
    }

    /** Written as one item. */
    public static <T> OneOrMany<T> one(T value) {
        return new OneOrMany<>(List.of(value), true);
    }

    /** Whether there is no value. */
    public boolean isEmpty() {
        return values.isEmpty();
    }
}
