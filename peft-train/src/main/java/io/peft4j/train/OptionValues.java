package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.option.Option;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.Masking;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.plan.AutoNumber;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The values of a record of options that is about to be made, by the names of its components, as its {@link Option}s
 * declare them.
 *
 * @param <R> the record
 */
final class OptionValues<R extends Record> {
    private static final String NOT = "no-";

    /** What a word says, by the type of the component. */
    private static final Map<String, Function<String, Object>> WORDS = Map.ofEntries(
            Map.entry("int", OptionValues::whole), Map.entry("long", word -> whole(word, Long.MAX_VALUE)),
            Map.entry("double", OptionValues::number), Map.entry("boolean", OptionValues::truth),
            Map.entry(OptionalInt.class.getName(), word -> isAuto(word) ? OptionalInt.empty()
                    : OptionalInt.of(whole(word))),
            Map.entry(OptionalDouble.class.getName(), word -> isAuto(word) ? OptionalDouble.empty()
                    : OptionalDouble.of(number(word))),
            Map.entry(optional(Duration.class), word -> isAuto(word) ? Optional.empty()
                    : Optional.of(Duration.ofNanos((long) (number(word) * 1e9)))),
            Map.entry(LearningRateSchedule.class.getName(), LearningRateSchedule::named),
            Map.entry(Optimizer.class.getName(), Optimizer::named),
            Map.entry(PackOptions.Strategy.class.getName(), PackOptions.Strategy::named),
            Map.entry(Masking.class.getName(), Masking::named),
            Map.entry(UpdateRule.class.getName(), word -> UpdateRule.PLAIN),
            Map.entry(list(ParameterGroup.class), word -> word.equals(AutoNumber.AUTO) ? List.of()
                    : List.of(ParameterGroup.of(word))));
    /** What a component is whose default is not said. */
    private static final Map<String, String> NOTHING = Map.of("int", "0", "long", "0", "double", "0", "boolean",
            "false");
    private final Class<R> type;
    private final Map<String, Object> values = new LinkedHashMap<>();

    OptionValues(Class<R> type) {
        this.type = type;
        for (RecordComponent component : type.getRecordComponents()) {
            String usual = component.getAnnotation(Option.class).usual();
            values.put(component.getName(), read(component, !usual.isEmpty() ? usual
                    : NOTHING.getOrDefault(component.getType().getName(), AutoNumber.AUTO)));
        }
    }

    private static String optional(Class<?> type) {
        return Optional.class.getName() + "<" + type.getName() + ">";
    }

    private static String list(Class<?> type) {
        return List.class.getName() + "<" + type.getName() + ">";
    }

    private static Object read(RecordComponent component, String word) {
        return WORDS.get(component.getGenericType().getTypeName()).apply(word);
    }

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
     * Sets a component by a word; a list gets one more.
     *
     * @param name one of {@link #names}
     * @throws ConfigurationException when there is no such component, or the word is no such value
     */
    void read(String name, String word) {
        RecordComponent component = Arrays.stream(type.getRecordComponents()).filter(each -> names(each)
                .contains(name)).findFirst().orElseThrow(() -> new ConfigurationException("there is no option '" + name
                        + "' that a word can set; " + SimilarNames.sentence(name, names(type))));
        Object value = read(component, word);
        if (value instanceof List<?> more) {
            value = Stream.concat(((List<?>) values.get(component.getName())).stream(), more.stream()).toList();
        } else if (name(component).equals(name.replace('_', '-')) && name(component).startsWith(NOT)) {
            value = !(boolean) value;
        }
        values.put(component.getName(), value);
    }

    /** The names of the components that one word sets. */
    static Set<String> names(Class<? extends Record> type) {
        Set<String> names = new LinkedHashSet<>();
        Arrays.stream(type.getRecordComponents()).filter(component -> component.getType() != List.class)
                .forEach(component -> names.addAll(names(component)));
        return names;
    }

    /** That of the option, and of a number or flag also the component's own. */
    private static Set<String> names(RecordComponent component) {
        Set<String> names = new LinkedHashSet<>();
        if (!component.getAnnotation(Option.class).help().isEmpty()) {
            names.add(name(component).replace('-', '_'));
            if (component.getType().isPrimitive()) {
                names.add(own(component).replace('-', '_'));
            }
        }
        return names;
    }

    private static String name(RecordComponent component) {
        String name = component.getAnnotation(Option.class).name();
        return name.isEmpty() ? own(component) : name;
    }

    private static String own(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /** The components that a word can set. */
    static List<TrainingOptions.Declared> declared(Class<? extends Record> type) {
        return Arrays.stream(type.getRecordComponents()).filter(component -> !names(component).isEmpty())
                .map(component -> {
                    Option option = component.getAnnotation(Option.class);
                    return new TrainingOptions.Declared(name(component), component.getType(), option.label(),
                            option.usual(), option.help(), option.group());
                }).toList();
    }

    /**
     * The record.
     *
     * @throws ConfigurationException as its constructor does
     */
    R make() {
        try {
            return type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents())
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

    private static boolean isAuto(String word) {
        return word.equalsIgnoreCase(AutoNumber.AUTO);
    }

    private static int whole(String word) {
        return (int) whole(word, Integer.MAX_VALUE);
    }

    /** A whole number, also one written as 3e9. */
    private static long whole(String word, long most) {
        try {
            BigDecimal value = new BigDecimal(word.strip());
            if (value.abs().compareTo(BigDecimal.valueOf(most)) <= 0) {
                return value.longValueExact();
            }
        } catch (ArithmeticException | NumberFormatException e) {
            throw new ConfigurationException("must be a whole number: '" + word + "' is not an integer", e);
        }
        throw new ConfigurationException("must be a whole number: '" + word + "' is more than "
                + most);
    }

    private static double number(String word) {
        try {
            return Double.parseDouble(word);
        } catch (NumberFormatException e) {
            throw new ConfigurationException("must be a number: '" + word + "' is not a number, nor "
                    + AutoNumber.AUTO, e);
        }
    }

    private static boolean truth(String word) {
        if (!word.equals("true") && !word.equals("false")) {
            throw new ConfigurationException("must be true or false");
        }
        return word.equals("true");
    }
}
