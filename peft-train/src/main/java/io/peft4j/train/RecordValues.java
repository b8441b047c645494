package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.optimizer.Optimizer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/**
 * The values of a record that is about to be made, by the names of its components.
 *
 * @param <R> the record
 */
final class RecordValues<R extends Record> {
    /** What a word says, by the type of the component. */
    private static final Map<Class<?>, Function<String, Object>> WORDS = Map.of(int.class, RecordValues::whole,
            long.class, word -> (long) whole(word), OptionalInt.class, word -> OptionalInt.of(whole(word)),
            double.class, RecordValues::number, OptionalDouble.class, word -> OptionalDouble.of(number(word)),
            LearningRateSchedule.class, LearningRateSchedule::named, Optimizer.class, Optimizer::named,
            PackOptions.Strategy.class, PackOptions.Strategy::named);

    private final Class<? extends Record> type;
    private final Map<String, Object> values = new LinkedHashMap<>();

    /** @param start the values at first */
    RecordValues(R start) {
        this.type = start.getClass();
        take(start);
    }

    /** Takes all values of a record. */
    void take(R record) {
        for (RecordComponent component : type.getRecordComponents()) {
            try {
                values.put(component.getName(), component.getAccessor().invoke(record));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    Object get(String component) {
        return values.get(component);
    }

    /** @param value never null */
    void set(String component, Object value) {
        if (value == null || values.put(component, value) == null) {
            throw new NullPointerException(component);
        }
    }

    /**
     * Sets a component by a word.
     *
     * @param name the component's in lower case with underscores, one of {@link #names}
     * @throws ConfigurationException when there is no such component, or the word is no such value
     */
    void read(String name, String word) {
        if (!names(type).contains(name)) {
            throw new ConfigurationException("there is no option '" + name + "' that a word can set; "
                    + SimilarNames.sentence(name, names(type)));
        }
        for (RecordComponent component : type.getRecordComponents()) {
            if (name(component).equals(name)) {
                values.put(component.getName(), WORDS.get(component.getType()).apply(word));
            }
        }
    }

    /** The names of the components that a word can set. */
    static Set<String> names(Class<? extends Record> type) {
        Set<String> names = new LinkedHashSet<>();
        Arrays.stream(type.getRecordComponents()).filter(component -> WORDS.containsKey(component.getType()))
                .forEach(component -> names.add(name(component)));
        return names;
    }

    private static String name(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    /**
     * The record.
     *
     * @throws ConfigurationException as its constructor does
     */
    @SuppressWarnings("unchecked")
    R make() {
        try {
            return (R) type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType).toArray(Class<?>[]::new)).newInstance(values.values().toArray());
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int whole(String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            throw new ConfigurationException("must be a whole number", e);
        }
    }

    private static double number(String word) {
        try {
            return Double.parseDouble(word);
        } catch (NumberFormatException e) {
            throw new ConfigurationException("must be a number", e);
        }
    }
}
