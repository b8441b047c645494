package io.peft4j.core.peft.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Writes an {@code adapter_config.json} as Hugging Face PEFT does: all keys, sorted. */
public final class ConfigWriter {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final TreeMap<String, JsonNode> values = new TreeMap<>();

    private ConfigWriter() {
    }

    /** Starts with the keys that every configuration has, and with those that were kept. */
    ConfigWriter(String peftType, CommonConfig common) {
        putNull("auto_mapping");
        common.otherKeys().forEach((key, json) -> values.put(key, ConfigJson.parse(json, key)));
        put("peft_type", peftType);
        put("task_type", common.taskType());
        put("base_model_name_or_path", common.baseModel());
        put("revision", common.revision());
        put("inference_mode", common.inferenceMode());
        put("peft_version", common.peftVersion());
    }

    /** Writes a key that was kept if there is one, else the default that is given as JSON text. */
    public ConfigWriter putDefault(String key, String json) {
        values.computeIfAbsent(key, k -> ConfigJson.parse(json, k));
        return this;
    }

    /** Writes null. */
    public ConfigWriter putNull(String key) {
        values.put(key, NullNode.instance);
        return this;
    }

    /** Writes any value, given as JSON text. */
    public ConfigWriter putJson(String key, String json) {
        values.put(key, ConfigJson.parse(json, key));
        return this;
    }

    /** Writes a configuration within this one, a record whose components have {@link Key}s. */
    public ConfigWriter putRecord(String key, Record config) {
        ConfigWriter within = new ConfigWriter();
        ConfigSchema.of(config.getClass()).write(within, config);
        values.put(key, ConfigJson.parse(within.toJson(), key));
        return this;
    }

    /** Gives the numbers of an object that was written a fraction each. */
    public ConfigWriter withFractions(String key) {
        ObjectNode object = JSON.objectNode();
        values.get(key).properties()
                .forEach(entry -> object.set(entry.getKey(), DoubleNode.valueOf(entry.getValue().doubleValue())));
        values.put(key, object);
        return this;
    }

    /** Writes an integer. */
    ConfigWriter put(String key, int value) {
        values.put(key, IntNode.valueOf(value));
        return this;
    }

    /** Writes a number, a whole one without a fraction. */
    ConfigWriter putNumber(String key, double value) {
        values.put(key, number(value));
        return this;
    }

    /** Writes a number with a fraction, {@code 0.0} for 0. */
    ConfigWriter putDecimal(String key, double value) {
        values.put(key, DoubleNode.valueOf(value));
        return this;
    }

    /** Writes true or false. */
    ConfigWriter put(String key, boolean value) {
        values.put(key, JSON.booleanNode(value));
        return this;
    }

    /** Writes a text. */
    ConfigWriter put(String key, String value) {
        values.put(key, TextNode.valueOf(value));
        return this;
    }

    /** Writes a text, or null. */
    ConfigWriter put(String key, Optional<String> value) {
        values.put(key, value.<JsonNode>map(TextNode::valueOf).orElse(NullNode.instance));
        return this;
    }

    /** Writes a list of texts or integers, or null where it is empty. */
    ConfigWriter putList(String key, Collection<?> items) {
        values.put(key, items.isEmpty() ? NullNode.instance : list(items));
        return this;
    }

    /** Writes one text or integer, a list, or null. */
    ConfigWriter put(String key, OneOrMany<?> items) {
        return items.single() ? putItem(key, items.values().get(0)) : putList(key, items.values());
    }

    /** Writes names of layers: a text, a list, or null. */
    ConfigWriter put(String key, TargetModules modules) {
        if (modules.names().isPresent()) {
            values.put(key, list(modules.names().get()));
            return this;
        }
        return put(key, modules.text());
    }

    /** Writes token ids: a list, an object with lists, or null. */
    ConfigWriter put(String key, TokenIndices tokens) {
        if (tokens.byLayer().isEmpty()) {
            return putList(key, tokens.ofEmbedding());
        }
        ObjectNode object = JSON.objectNode();
        tokens.byLayer().forEach((name, ids) -> object.set(name, list(ids)));
        values.put(key, object);
        return this;
    }

    /** Writes numbers by name, whole ones without a fraction. */
    ConfigWriter put(String key, Map<String, ? extends Number> numbers) {
        ObjectNode object = JSON.objectNode();
        numbers.forEach((name, value) -> object.set(name, number(value.doubleValue())));
        values.put(key, object);
        return this;
    }

    /** Writes texts by name. */
    ConfigWriter putTexts(String key, Map<String, String> texts) {
        ObjectNode object = JSON.objectNode();
        texts.forEach(object::put);
        values.put(key, object);
        return this;
    }

    /** An object with a list of truth values for each of its keys. */
    public ConfigWriter putTruths(String key, Map<String, List<Boolean>> lists) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        lists.forEach((name, list) -> {
            ArrayNode array = object.putArray(name);
            list.forEach(array::add);
        });
        values.put(key, object);
        return this;
    }

    /** The whole text. */
    String toJson() {
        ObjectNode root = JSON.objectNode();
        root.setAll(values);
        return ConfigJson.write(root);
    }

    private ConfigWriter putItem(String key, Object item) {
        values.put(key, item(item));
        return this;
    }

    private static ArrayNode list(Collection<?> items) {
        ArrayNode array = JSON.arrayNode();
        items.forEach(item -> array.add(item(item)));
        return array;
    }

    private static JsonNode item(Object item) {
        return item instanceof Integer number ? IntNode.valueOf(number) : TextNode.valueOf((String) item);
    }

    private static JsonNode number(double value) {
        return value == Math.rint(value) && Math.abs(value) <= Integer.MAX_VALUE ? IntNode.valueOf((int) value)
                : DoubleNode.valueOf(value);
    }
}
