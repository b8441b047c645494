package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.JsonFiles;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
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
import java.util.stream.StreamSupport;

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
        return optional(key, value -> isInteger(value) && value.intValue() >= 1, JsonNode::intValue,
                "a whole number of at least 1");
    }

    /** A whole number, or empty where the key is missing or null. */
    public OptionalInt optionalInteger(String key) {
        return optional(key, ModelConfig::isInteger, JsonNode::intValue, "a whole number").map(OptionalInt::of)
                .orElseGet(OptionalInt::empty);
    }

    private static boolean isInteger(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt();
    }

    /** A number, or {@code otherwise} where the key is missing or null. */
    public double number(String key, double otherwise) {
        return optional(key, JsonNode::isNumber, JsonNode::doubleValue, "a number").orElse(otherwise);
    }

    /** A probability below 1, or {@code otherwise} where the key is missing or null. */
    public float probability(String key, double otherwise) {
        double value = number(key, otherwise);
        if (!(value >= 0 && value < 1)) {
            throw new FileFormatException(file, key + " is " + value + "; it must be from 0 to below 1");
        }
        return (float) value;
    }

    /** True or false, or {@code otherwise} where the key is missing or null. */
    public boolean flag(String key, boolean otherwise) {
        return optional(key, JsonNode::isBoolean, JsonNode::booleanValue, "true or false").orElse(otherwise);
    }

    /** A text, or empty where the key is missing or null. */
    public Optional<String> text(String key) {
        return optional(key, JsonNode::isTextual, JsonNode::textValue, "a text");
    }

    /** The object under {@code key} as a configuration of its own, or empty where the key is missing or null. */
    public Optional<ModelConfig> object(String key) {
        return optional(key, JsonNode::isObject,
                value -> inside.computeIfAbsent(key, k -> new ModelConfig(file, value)),
                "an object");
    }

    private <T> Optional<T> optional(String key, Predicate<JsonNode> kind, Function<JsonNode, T> reader,
            String expected) {
        read.add(key);
        JsonNode value = values.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!kind.test(value)) {
            throw new FileFormatException(file, key + " is " + value + "; expected " + expected);
        }
        return Optional.of(reader.apply(value));
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
        return optional(key,
                value -> value.isArray() && StreamSupport.stream(value.spliterator(), false).allMatch(kind),
                value -> StreamSupport.stream(value.spliterator(), false).map(reader).toList(), expected);
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

    /** Counts keys as asked for that have no effect on the computation of a family. */
    public void ignore(Collection<String> keys) {
        read.addAll(keys);
    }

    /** The keys that getters were asked for so far. */
    public Set<String> read() {
        return Set.copyOf(read);
    }

    private FileFormatException missing(String key) {
        return new FileFormatException(file, "the key " + key + " is missing");
    }
}
