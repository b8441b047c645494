package io.peft4j.core.peft.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the keys of an {@code adapter_config.json}, each with its type. A value of the wrong type or out of range is a
 * {@link ConfigurationException} that names file and key. Unread keys are kept ({@link #common}).
 */
public final class ConfigReader {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigReader.class);

    private final String source;
    private final ObjectNode root;
    private final Set<String> read = new LinkedHashSet<>();
    private final Set<String> neutral = new LinkedHashSet<>();
    private final Map<String, JsonNode> defaults = new HashMap<>();
    /** Whether a key that is not known is an error. */
    private final boolean strict;

    private ConfigReader(String source, ObjectNode root, boolean strict) {
        this.source = source;
        this.root = root;
        this.strict = strict;
    }

    /**
     * Reads a text.
     *
     * @param json a JSON object
     * @param source where it comes from, for messages
     * @throws ConfigurationException when it is not a JSON object, or a key appears in it twice
     */
    public static ConfigReader parse(String json, String source) {
        return new ConfigReader(source, ConfigJson.parseObject(json, source), false);
    }

    /** As {@link #parse}, for a new adapter: a key that is never read is an error, not a warning. */
    public static ConfigReader parseNew(String json, String source) {
        return new ConfigReader(source, ConfigJson.parseObject(json, source), true);
    }

    /** Reads a file of at most a few megabytes. */
    public static ConfigReader read(Path file) {
        return parse(ConfigJson.readFile(file), file.toString());
    }

    /** Where the configuration comes from. */
    public String source() {
        return source;
    }

    /** An integer of at least {@code least}. */
    int integer(String key, int fallback, int least) {
        return value(key, fallback, node -> integerOf(key, node, least));
    }

    /** A finite number. */
    double number(String key, double fallback) {
        return value(key, fallback, node -> numberOf(key, node));
    }

    /** True or false. */
    boolean flag(String key, boolean fallback) {
        return value(key, fallback, node -> flagOf(key, node));
    }

    String text(String key, String fallback) {
        return optionalText(key).orElse(fallback);
    }

    /** A text, or empty for null and where absent. */
    public Optional<String> optionalText(String key) {
        return value(key, Optional.empty(), node -> Optional.of(textOf(key, node)));
    }

    /** The value of a key that may hold any type, as JSON text; empty where absent. */
    public Optional<String> json(String key) {
        read.add(key);
        return Optional.ofNullable(root.get(key)).map(JsonNode::toString);
    }

    /** A list of texts; empty for null and where absent. */
    List<String> texts(String key) {
        return value(key, List.of(), node -> list(key, node, "a list of strings", n -> textOf(key, n)));
    }

    /** Texts by name, in their order; none for null and where absent. */
    Map<String, String> textsByName(String key) {
        return value(key, Map.of(), node -> map(key, node, "texts", n -> textOf(key, n)));
    }

    OneOrMany<String> oneOrMoreTexts(String key) {
        return value(key, OneOrMany.none(), node -> node.isTextual() ? OneOrMany.one(node.textValue())
                : OneOrMany.many(list(key, node, "a string or a list of strings", n -> textOf(key, n))));
    }

    /** An integer from 0 on, or a list of them. */
    OneOrMany<Integer> oneOrMoreIntegers(String key) {
        return value(key, OneOrMany.none(), node -> node.isNumber() ? OneOrMany.one(integerOf(key, node, 0))
                : OneOrMany.many(list(key, node, "an integer or a list of integers", n -> integerOf(key, n, 0))));
    }

    /** Names of layers: null, a text, or a list of texts. */
    TargetModules modules(String key) {
        return value(key, TargetModules.UNSET, node -> node.isTextual() ? TargetModules.regex(node.textValue())
                : TargetModules.of(list(key, node, "a string or a list of strings", n -> textOf(key, n))));
    }

    /** Lists of integers from 0 on; empty for null and where absent. */
    public List<List<Integer>> integerLists(String key) {
        return value(key, List.of(), node -> list(key, node, "a list of lists of integers",
                inner -> list(key, inner, "a list of lists of integers", n -> integerOf(key, n, 0))));
    }

    /** Token ids: null, a list, or an object with a list for each name of a layer. */
    TokenIndices tokens(String key) {
        return value(key, TokenIndices.NONE, node -> {
            if (node.isArray()) {
                return new TokenIndices(list(key, node, "a list of tokens", n -> integerOf(key, n, 0)), Map.of());
            }
            return TokenIndices.byLayer(map(key, node, "lists of tokens",
                    n -> list(key, n, "a list of tokens", token -> integerOf(key, token, 0))));
        });
    }

    /** A configuration within the configuration; empty for null and where absent. Read as a {@link #record}. */
    public Optional<ConfigReader> object(String key) {
        return value(key, Optional.empty(), node -> {
            if (!(node instanceof ObjectNode object)) {
                throw wrong(key, node, "an object");
            }
            return Optional.of(new ConfigReader(source + ": " + key, object, true));
        });
    }

    /**
     * Reads a record whose components have {@link Key}s, from a configuration within another, of which nothing can be
     * kept.
     *
     * @throws ConfigurationException when there is a key that the record does not have, or a wrong value
     */
    public <T> T record(Class<T> type) {
        return type.cast(ConfigSchema.of(type).read(this));
    }

    /** Ends the reading of a configuration within another: all keys must be known. */
    void end() {
        refuse(unknown());
    }

    private List<String> unknown() {
        List<String> unknown = new ArrayList<>();
        root.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(read);
        unknown.removeAll(neutral);
        return unknown;
    }

    private void refuse(List<String> unknown) {
        if (!unknown.isEmpty()) {
            Set<String> known = new TreeSet<>(read);
            known.addAll(neutral);
            throw new ConfigurationException(source + ": unknown key '" + unknown.get(0) + "'; "
                    + SimilarNames.sentence(unknown.get(0), known));
        }
    }

    /** Integers of at least 1 by name, in the order of the file; empty for null and where absent. */
    Map<String, Integer> integers(String key) {
        return value(key, Map.of(), node -> map(key, node, "integers", n -> integerOf(key, n, 1)));
    }

    /** Numbers by name, in the order of the file; empty for null and where absent. */
    Map<String, Double> numbers(String key) {
        return value(key, Map.of(), node -> map(key, node, "numbers", n -> numberOf(key, n)));
    }

    /**
     * Requires that a key which switches on something that this version cannot do is off: absent, null, false, or an
     * empty list, map or text. The key is kept with the others.
     *
     * @param feature what it would switch on, for the message
     * @throws ConfigurationException when it is on
     */
    void requireOff(String key, String feature) {
        neutral.add(key);
        JsonNode node = root.get(key);
        boolean off = node == null || node.isNull() || node.isBoolean() && !node.booleanValue()
                || node.isContainerNode() && node.isEmpty() || node.isTextual() && node.textValue().isEmpty();
        if (!off) {
            throw wrong(key, node, "off, since " + feature + " is not supported");
        }
    }

    /** Declares a key that has no effect here, for a reason that a warning gives where it is set. It is kept. */
    public void ignoreBecause(String key, String reason) {
        neutral.add(key);
        JsonNode node = root.get(key);
        if (node != null && !node.isNull() && !(node.isContainerNode() && node.isEmpty())) {
            LOG.warn("{}: {} has no effect, because {}", source, key, reason);
        }
    }

    /** Declares a key that a configuration has no component for. */
    void unused(UnusedKey key) {
        neutral.add(key.value());
        JsonNode node = root.get(key.value());
        boolean isDefault = node != null && node.toString().equals(key.fallback());
        if (!key.because().isEmpty() && !isDefault) {
            ignoreBecause(key.value(), key.because());
        } else if (!key.feature().isEmpty() && node != null && !isDefault) {
            requireOff(key.value(), key.feature());
        }
    }

    /**
     * The keys that every configuration has, and those that were not read. To be called last. Keys that are not
     * known are named in one warning.
     */
    CommonConfig common() {
        read.add("peft_type");
        Optional<String> taskType = root.has("task_type") ? optionalText("task_type") : Optional.of("CAUSAL_LM");
        read.add("task_type");
        Optional<String> base = optionalText("base_model_name_or_path");
        Optional<String> revision = optionalText("revision");
        boolean inference = flag("inference_mode", false);
        String version = text("peft_version", CommonConfig.FORMAT_VERSION);
        neutral.add("auto_mapping");
        Map<String, String> others = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (!read.contains(field.getKey())) {
                others.put(field.getKey(), field.getValue().toString());
            }
        }
        List<String> unknown = unknown();
        if (strict) {
            refuse(unknown);
        } else if (!unknown.isEmpty()) {
            LOG.warn("{}: unknown keys are kept but have no effect: {}", source, unknown);
        }
        return checked(() -> new CommonConfig(taskType, base, revision, inference, version, others));
    }

    /** Puts the name of the file before what a configuration's own checks refuse. */
    <T> T checked(Supplier<T> values) {
        try {
            return values.get();
        } catch (ConfigurationException e) {
            throw e.getMessage().startsWith(source) ? e
                    : new ConfigurationException(source + ": " + e.getMessage(), e);
        }
    }

    /** An object with a list of truth values for each of its keys; empty where the key is missing. */
    public Map<String, List<Boolean>> truths(String key) {
        String expected = "an object with a list of true and false for each of its keys";
        return value(key, Map.of(), node -> map(key, node, "a list of true and false for each of its keys", list -> {
            if (list.isEmpty()) {
                throw wrong(key, node, expected);
            }
            return list(key, list, expected, item -> flagOf(key, item));
        }));
    }

    /** What a key has where it is null or absent, as JSON text. */
    ConfigReader withDefault(String key, String json) {
        defaults.put(key, ConfigJson.parse(json, key));
        return this;
    }

    /** Whether a key is neither null nor absent. */
    boolean isGiven(String key) {
        return value(key, false, node -> true);
    }

    /** The value of any type, or the default, as JSON text. */
    String jsonText(String key) {
        return value(key, "null", JsonNode::toString);
    }

    private <T> T value(String key, T fallback, Function<JsonNode, T> reader) {
        read.add(key);
        JsonNode node = root.hasNonNull(key) ? root.get(key) : defaults.get(key);
        return node == null || node.isNull() ? fallback : reader.apply(node);
    }

    private <T> List<T> list(String key, JsonNode node, String what, Function<JsonNode, T> item) {
        if (!node.isArray()) {
            throw wrong(key, node, what);
        }
        List<T> items = new ArrayList<>();
        node.forEach(n -> items.add(item.apply(n)));
        return items;
    }

    private <T> Map<String, T> map(String key, JsonNode node, String what, Function<JsonNode, T> item) {
        if (!node.isObject()) {
            throw wrong(key, node, "an object with " + what);
        }
        Map<String, T> items = new LinkedHashMap<>();
        node.properties().forEach(field -> items.put(field.getKey(), item.apply(field.getValue())));
        return items;
    }

    private int integerOf(String key, JsonNode node, int least) {
        boolean integral = node.isNumber() && node.doubleValue() == Math.rint(node.doubleValue())
                && Math.abs(node.doubleValue()) <= Integer.MAX_VALUE;
        if (!integral || node.intValue() < least) {
            throw wrong(key, node, least == Integer.MIN_VALUE ? "an integer" : "an integer of at least " + least);
        }
        return node.intValue();
    }

    private boolean flagOf(String key, JsonNode node) {
        if (!node.isBoolean()) {
            throw wrong(key, node, "true or false");
        }
        return node.booleanValue();
    }

    private double numberOf(String key, JsonNode node) {
        if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
            throw wrong(key, node, "a number");
        }
        return node.doubleValue();
    }

    private String textOf(String key, JsonNode node) {
        if (!node.isTextual()) {
            throw wrong(key, node, "a string");
        }
        return node.textValue();
    }

    /** The error for a value that is not what it must be. */
    private ConfigurationException wrong(String key, JsonNode node, String expected) {
        String found = String.valueOf(node);
        return new ConfigurationException(source + ": " + key + " is "
                + (found.length() > 80 ? found.substring(0, 80) + "..." : found) + "; it must be " + expected);
    }
}
