package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the annotations of a configuration record say: its keys with their defaults, those of the records within it
 * beside its own. A configuration is taken apart into values by key and put together from them.
 */
final class ConfigSchema {
    private static final ClassValue<ConfigSchema> KNOWN = new ClassValue<>() {
        @Override
        protected ConfigSchema computeValue(Class<?> type) {
            return new ConfigSchema(type, Set.of(), "");
        }
    };

    private final Class<?> type;
    private final List<Part> parts = new ArrayList<>();

    private sealed interface Part {
        RecordComponent component();
    }

    /** What every configuration holds; its keys are read last. */
    private record Common(RecordComponent component) implements Part {
    }

    /** A value; hidden where the configuration does not have its key, so that it stays at its default. */
    private record Value(RecordComponent component, Key key, KeyFormat<Object> format, boolean hidden)
            implements
                Part {
        Object initial() {
            return format.read(ConfigReader.parse("{}", key.value()), key.value(), key.fallback());
        }
    }

    private record Inner(RecordComponent component, ConfigSchema schema) implements Part {
    }

    private ConfigSchema(Class<?> type, Set<String> hidden, String biasWord) {
        this.type = type;
        Set<String> own = new HashSet<>(hidden);
        for (RecordComponent component : type.getRecordComponents()) {
            Key key = component.getAnnotation(Key.class);
            if (key != null) {
                own.add(key.value());
            }
        }
        for (RecordComponent component : type.getRecordComponents()) {
            Key key = component.getAnnotation(Key.class);
            Group group = component.getAnnotation(Group.class);
            if (key != null) {
                parts.add(new Value(component, key, KeyFormats.of(component, key, biasWord),
                        hidden.contains(key.value())));
            } else if (group != null) {
                Set<String> without = new HashSet<>(own);
                without.addAll(List.of(group.without()));
                if (group.biasWord().isEmpty()) {
                    without.add("bias");
                }
                parts.add(new Inner(component, new ConfigSchema(component.getType(), without, group.biasWord())));
            } else if (component.getType() == CommonConfig.class) {
                parts.add(new Common(component));
            } else {
                throw new IllegalStateException(component + " of " + type + " needs a @Key or @Group");
            }
        }
    }

    static ConfigSchema of(Class<?> config) {
        return KNOWN.get(config);
    }

    Class<?> type() {
        return type;
    }

    // ---- values by key

    Map<String, Object> defaults() {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Part part : parts) {
            if (part instanceof Value value && !value.hidden()) {
                values.put(value.key().value(), value.initial());
            } else if (part instanceof Inner inner) {
                inner.schema().defaults().forEach(values::putIfAbsent);
            } else if (part instanceof Common) {
                values.put("", CommonConfig.defaults());
            }
        }
        return values;
    }

    /** Takes a configuration apart; refuses one with a value for a key that is hidden here. */
    void take(Object config, Map<String, Object> values) {
        for (Part part : parts) {
            Object held = get(part.component(), config);
            if (part instanceof Inner inner) {
                inner.schema().take(held, values);
            } else if (part instanceof Common) {
                values.put("", held);
            } else if (part instanceof Value value && !value.hidden()) {
                values.put(value.key().value(), held);
            } else if (part instanceof Value value && !value.initial().equals(held)) {
                throw absent(value.key().value());
            }
        }
    }

    private static Object get(RecordComponent component, Object config) {
        try {
            Method accessor = component.getAccessor();
            accessor.setAccessible(true);
            return accessor.invoke(config);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private ConfigurationException absent(String key) {
        return new ConfigurationException(key + " is set, but this method does not support it; remove it");
    }

    /**
     * Puts a configuration together.
     *
     * @throws ConfigurationException as its constructor does
     */
    Object make(Map<String, Object> values) {
        Object[] arguments = parts.stream().map(part -> part instanceof Inner inner ? inner.schema().make(values)
                : part instanceof Common ? values.get("")
                        : part instanceof Value value && !value.hidden() ? values.get(value.key().value())
                                : ((Value) part).initial())
                .toArray();
        try {
            var constructor = type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType).toArray(Class<?>[]::new));
            constructor.setAccessible(true);
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- builders

    /** Whether a component has a name and a type. */
    boolean has(String name, Class<?>... parameters) {
        Part part = find(name);
        return part != null && parameters.length == 1 && part.component().getType() == parameters[0];
    }

    /** The component of a name, the record's own before those of records within it. */
    private Part find(String name) {
        for (Part part : parts) {
            if (part.component().getName().equals(name)) {
                return part;
            }
        }
        return parts.stream().filter(Inner.class::isInstance).map(part -> ((Inner) part).schema().find(name))
                .filter(part -> part != null).findFirst().orElse(null);
    }

    /**
     * Sets the component of a name.
     *
     * @throws ConfigurationException when the configuration does not have its key
     */
    void set(Map<String, Object> values, String name, Object argument) {
        Part part = find(name);
        if (part instanceof Inner inner) {
            inner.schema().take(argument, values);
        } else if (part instanceof Value value && value.hidden() && !value.initial().equals(argument)) {
            throw absent(value.key().value());
        } else if (!(part instanceof Value value && value.hidden())) {
            values.put(part instanceof Value value ? value.key().value() : "", argument);
        }
    }

    /** The same configuration with another value of a component. */
    static <C> C with(C config, String name, Object argument) {
        ConfigSchema schema = of(config.getClass());
        Map<String, Object> values = new LinkedHashMap<>();
        schema.take(config, values);
        schema.set(values, name, argument);
        @SuppressWarnings("unchecked")
        C changed = (C) schema.make(values);
        return changed;
    }

    // ---- files

    /** Reads a configuration; of one within another all keys must be known. */
    Object read(ConfigReader reader) {
        Map<String, Object> values = new LinkedHashMap<>();
        read(reader, values);
        if (holdsCommon()) {
            values.put("", reader.common());
        } else {
            reader.end();
        }
        return reader.checked(() -> make(values));
    }

    private boolean holdsCommon() {
        return parts.stream().anyMatch(part -> part instanceof Common
                || part instanceof Inner inner && inner.schema().holdsCommon());
    }

    private void read(ConfigReader reader, Map<String, Object> values) {
        for (Part part : parts) {
            if (part instanceof Value value && !value.hidden()) {
                values.put(value.key().value(),
                        reader.checked(() -> value.format().read(reader, value.key().value(), value.key().fallback())));
            } else if (part instanceof Inner inner) {
                inner.schema().read(reader, values);
            }
        }
        unusedKeys().forEach(reader::unused);
    }

    private List<UnusedKey> unusedKeys() {
        return List.of(type.getAnnotationsByType(UnusedKey.class));
    }

    void write(ConfigWriter writer, Object config) {
        unusedKeys().stream().filter(unused -> !unused.fallback().isEmpty())
                .forEach(unused -> writer.putDefault(unused.value(), unused.fallback()));
        for (Part part : parts) {
            if (part instanceof Value value && !value.hidden()) {
                value.format().write(writer, value.key().value(), get(part.component(), config));
            } else if (part instanceof Inner inner) {
                inner.schema().write(writer, get(part.component(), config));
            }
        }
    }

    // ---- options

    /** The key that an option of many methods sets, the record's own before those of records within it. */
    void options(Map<String, String> keys) {
        for (Part part : parts) {
            if (part instanceof Value value && !value.hidden()) {
                String option = value.key().option().isEmpty() ? part.component().getName() : value.key().option();
                keys.putIfAbsent(option, value.key().value());
            }
        }
        parts.stream().filter(Inner.class::isInstance).forEach(part -> ((Inner) part).schema().options(keys));
    }
}
