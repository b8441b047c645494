package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.BiFunction;

/** The formats of the types that components of configurations have. */
final class KeyFormats {
    private static final Map<String, KeyFormat<?>> BY_TYPE = Map.ofEntries(
            known("boolean", (reader, key) -> reader.flag(key, false)),
            known("java.lang.String", (reader, key) -> reader.text(key, "")),
            known(TargetModules.class.getName(), ConfigReader::modules),
            known(TokenIndices.class.getName(), ConfigReader::tokens),
            known("java.util.Optional<java.lang.String>", ConfigReader::optionalText),
            known("java.util.List<java.lang.String>", ConfigReader::texts),
            known("java.util.List<java.lang.Integer>", (reader, key) -> reader.oneOrMoreIntegers(key).values()),
            known(OneOrMany.class.getName() + "<java.lang.String>", ConfigReader::oneOrMoreTexts),
            known(OneOrMany.class.getName() + "<java.lang.Integer>", ConfigReader::oneOrMoreIntegers),
            known("java.util.Map<java.lang.String, java.lang.Integer>", ConfigReader::integers),
            known("java.util.Map<java.lang.String, java.lang.String>", ConfigReader::textsByName),
            known("java.util.Map<java.lang.String, java.lang.Double>", ConfigReader::numbers));

    private KeyFormats() {
    }

    private interface Writing<T> {
        void write(ConfigWriter writer, String key, T value);
    }

    private static Map.Entry<String, KeyFormat<?>> known(String type, BiFunction<ConfigReader, String, ?> reading) {
        return Map.entry(type, format(reading, ConfigWriter::put));
    }

    private static <T> KeyFormat<T> format(BiFunction<ConfigReader, String, ? extends T> reading, Writing<T> writing) {
        return new KeyFormat<>() {
            @Override
            public T read(ConfigReader reader, String key, String fallback) {
                return reading.apply(reader.withDefault(key, fallback), key);
            }

            @Override
            public void write(ConfigWriter writer, String key, T value) {
                writing.write(writer, key, value);
            }
        };
    }

    @SuppressWarnings("unchecked")
    static KeyFormat<Object> of(RecordComponent component, Key key, String biasWord) {
        return (KeyFormat<Object>) find(component, key, biasWord);
    }

    private static KeyFormat<?> find(RecordComponent component, Key key, String biasWord) {
        Type type = component.getGenericType();
        if (key.format() != KeyFormat.class) {
            return instance(key.format());
        }
        if (type == int.class || type == long.class || type == double.class || type == OptionalInt.class) {
            return number(component.getType(), key);
        }
        if (type == Bias.class) {
            return format((reader, k) -> Bias.read(reader, biasWord),
                    (writer, k, bias) -> writer.put(k, bias.json(biasWord)));
        }
        if (type instanceof Class<?> c && c.isEnum()) {
            return choice(c.getEnumConstants());
        }
        KeyFormat<?> known = BY_TYPE.get(type.getTypeName());
        if (known == null) {
            throw new IllegalStateException(component + ": a key of type " + type + " needs a format");
        }
        boolean isList = component.getType() == List.class && key.fallback().equals("[]");
        return component.getType() == Map.class && key.zeroIsNull() ? empty("null", known)
                : isList ? empty("[]", known) : known;
    }

    /** Maps or lists that are written as null or [] where they are empty. */
    @SuppressWarnings("unchecked")
    private static KeyFormat<Object> empty(String json, KeyFormat<?> format) {
        KeyFormat<Object> known = (KeyFormat<Object>) format;
        return new KeyFormat<>() {
            @Override
            public Object read(ConfigReader reader, String key, String fallback) {
                return known.read(reader, key, fallback);
            }

            @Override
            public void write(ConfigWriter writer, String key, Object value) {
                if (value.equals(Map.of()) || value.equals(List.of())) {
                    writer.putJson(key, json);
                } else {
                    known.write(writer, key, value);
                }
            }
        };
    }

    private static KeyFormat<?> instance(Class<?> format) {
        try {
            var constructor = format.getDeclaredConstructor();
            constructor.setAccessible(true);
            return (KeyFormat<?>) constructor.newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyFormat<?> number(Class<?> type, Key settings) {
        Writing<Object> writing = (writer, key, value) -> {
            double number = value instanceof OptionalInt i ? i.orElse(0) : ((Number) value).doubleValue();
            if (value.equals(OptionalInt.empty()) || settings.zeroIsNull() && number == 0) {
                writer.putNull(key);
            } else if (type == double.class && !settings.whole()) {
                writer.putDecimal(key, number);
            } else {
                writer.put(key, number);
            }
        };
        if (type == double.class) {
            return format((reader, key) -> (Object) reader.number(key, 0), writing);
        }
        if (type == OptionalInt.class) {
            return format((reader, key) -> reader.isGiven(key) ? OptionalInt.of(integer(reader, key))
                    : OptionalInt.empty(), writing::write);
        }
        return format((reader, key) -> type == int.class ? (Object) integer(reader, key)
                : (Object) (long) integer(reader, key), writing);
    }

    private static int integer(ConfigReader reader, String key) {
        return reader.integer(key, 0, Integer.MIN_VALUE);
    }

    private static KeyFormat<Object> choice(Object[] constants) {
        Map<Object, String> names = new LinkedHashMap<>();
        Arrays.stream(constants).forEach(constant -> names.put(constant, name((Enum<?>) constant)));
        return format((reader, key) -> {
            String json = reader.jsonText(key);
            return Arrays.stream(constants).filter(constant -> names.get(constant).equals(json)).findFirst()
                    .orElseThrow(() -> new ConfigurationException(reader.source() + ": " + key + " is " + json
                            + "; it must be one of " + names.values()));
        }, (writer, key, constant) -> writer.putJson(key, names.get(constant)));
    }

    private static String name(Enum<?> constant) {
        try {
            KeyFormat.Named named = constant.getDeclaringClass().getField(constant.name())
                    .getAnnotation(KeyFormat.Named.class);
            return named == null ? '"' + constant.name() + '"' : named.value();
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(e);
        }
    }
}
