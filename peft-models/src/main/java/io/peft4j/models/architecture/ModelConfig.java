package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.support.JsonFiles;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The configuration of a model, with the keys of Hugging Face's {@code config.json}. Getters name the file and the key
 * where a value is missing or of the wrong kind.
 */
public final class ModelConfig {
    /** The layers of a decision head behind an encoder, under the key that Laya has for them. */
    public static final String HEAD_LAYERS = "head_layers";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Lists with a value for each layer. */
    private static final List<String> LAYER_LISTS = List.of("layer_types", "no_rope_layers", "layer_rope_theta");

    private final Path file;
    private final JsonNode values;
    /** Keys that were asked for. */
    private final Set<String> read = ConcurrentHashMap.newKeySet();
    /** Objects inside that were asked for. */
    private final Map<String, ModelConfig> inside = new ConcurrentHashMap<>();

    /**
     * A configuration.
     *
     * @param file where it came from, for messages
     * @param values a JSON object
     */
    public ModelConfig(Path file, JsonNode values) {
        this.file = Objects.requireNonNull(file, "file");
        this.values = Objects.requireNonNull(values, "values");
    }

    /**
     * Reads {@code config.json}.
     *
     * @throws FileFormatException when it is not a JSON object
     * @throws UncheckedIOException when it cannot be read
     */
    public static ModelConfig read(Path file) {
        return new ModelConfig(file, JsonFiles.object(file));
    }

    /**
     * The same for decoder layers in another order.
     *
     * @param order the number of each layer's origin
     */
    public ModelConfig withLayers(List<Integer> order) {
        String key = has("num_hidden_layers") ? "num_hidden_layers" : "n_layer";
        ObjectNode changed = values.deepCopy();
        for (String list : LAYER_LISTS) {
            if (values.path(list).isArray() && values.path(list).size() == positive(key)) {
                ArrayNode ordered = changed.putArray(list);
                order.forEach(layer -> ordered.add(values.path(list).get(layer)));
            }
        }
        return new ModelConfig(file, changed.put(key, order.size()));
    }

    /** The same with another whole number. */
    public ModelConfig with(String key, int value) {
        return new ModelConfig(file, ((ObjectNode) values.deepCopy()).put(key, value));
    }

    /** The file it came from. */
    public Path file() {
        return file;
    }

    /** All values; not to be changed. */
    public JsonNode values() {
        return values;
    }

    /** Whether there is a value under {@code key}, other than null. */
    public boolean has(String key) {
        return values.hasNonNull(key);
    }

    /** The key of the architecture. */
    public String modelType() {
        return text("model_type").orElseThrow(() -> missing("model_type"));
    }

    /** A whole number of at least 1. */
    public int positive(String key) {
        return optionalPositive(key).orElseThrow(() -> missing(key));
    }

    /** A whole number of at least 1, or empty where the key is missing or null. */
    public Optional<Integer> optionalPositive(String key) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
            throw wrong(key, value, "a whole number of at least 1");
        }
        return Optional.of(value.intValue());
    }

    /** A whole number, or empty where the key is missing or null. */
    public OptionalInt optionalInteger(String key) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return OptionalInt.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(key, value, "a whole number");
        }
        return OptionalInt.of(value.intValue());
    }

    /** A number, or {@code otherwise} where the key is missing or null. */
    public double number(String key, double otherwise) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isNumber()) {
            throw wrong(key, value, "a number");
        }
        return value.doubleValue();
    }

    /** True or false, or {@code otherwise} where the key is missing or null. */
    public boolean flag(String key, boolean otherwise) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw wrong(key, value, "true or false");
        }
        return value.booleanValue();
    }

    /** A text, or empty where the key is missing or null. */
    public Optional<String> text(String key) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw wrong(key, value, "a text");
        }
        return Optional.of(value.textValue());
    }

    /** The object under {@code key} as a configuration of its own, or empty where the key is missing or null. */
    public Optional<ModelConfig> object(String key) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isObject()) {
            throw wrong(key, value, "an object");
        }
        return Optional.of(inside.computeIfAbsent(key, k -> new ModelConfig(file, value)));
    }

    /** The exception for a value that is not supported. */
    public FileFormatException unsupported(String key, Object value, String supported) {
        return new FileFormatException(file, key + " is " + value + ", which is not supported; supported: "
                + supported);
    }

    /** A list of texts, or empty where the key is missing or null. */
    public Optional<List<String>> texts(String key) {
        return list(key, JsonNode::isTextual, JsonNode::textValue, "a list of texts");
    }

    /** A list of numbers, or empty where the key is missing or null. */
    public Optional<List<Double>> numbers(String key) {
        return list(key, JsonNode::isNumber, JsonNode::doubleValue, "a list of numbers");
    }

    /**
     * A list of numbers that may be infinite, or empty where the key is missing or null. An infinite one is an object
     * with the text {@code Infinity} or {@code -Infinity} as its {@code __float__}, as Transformers writes it.
     */
    public Optional<List<Double>> limits(String key) {
        return list(key, element -> element.isNumber() || element.path("__float__").asText().endsWith("Infinity"),
                element -> element.isNumber() ? element.doubleValue()
                        : Double.parseDouble(element.path("__float__").asText()),
                "a list of numbers");
    }

    private <T> Optional<List<T>> list(String key, Predicate<JsonNode> kind, Function<JsonNode, T> reader,
            String expected) {
        JsonNode value = value(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        List<T> list = new ArrayList<>();
        for (JsonNode element : value) {
            if (!kind.test(element)) {
                throw wrong(key, value, expected);
            }
            list.add(reader.apply(element));
        }
        if (!value.isArray()) {
            throw wrong(key, value, expected);
        }
        return Optional.of(list);
    }

    /**
     * The keys that have a value other than null and false, and that no getter was asked for so far; those of objects
     * inside that were asked for behind the object's key and a dot.
     */
    public Set<String> unread() {
        Set<String> keys = new TreeSet<>();
        values.properties().forEach(entry -> {
            if (!entry.getValue().isNull() && !(entry.getValue().isBoolean() && !entry.getValue().booleanValue())) {
                keys.add(entry.getKey());
            }
        });
        keys.removeAll(read);
        inside.forEach((key, object) -> object.unread().forEach(own -> keys.add(key + "." + own)));
        return keys;
    }

    /** The keys that getters were asked for so far. */
    public Set<String> read() {
        return Set.copyOf(read);
    }

    private JsonNode value(String key) {
        read.add(key);
        return values.path(key);
    }

    private FileFormatException missing(String key) {
        return new FileFormatException(file, "the key " + key + " is missing");
    }

    private FileFormatException wrong(String key, JsonNode value, String expected) {
        return new FileFormatException(file, key + " is " + value + "; expected " + expected);
    }
}
