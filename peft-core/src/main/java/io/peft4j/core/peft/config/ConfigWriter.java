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

    /** Writes a number with a fraction, {@code 0.0} for 0. */
    ConfigWriter putDecimal(String key, double value) {
        values.put(key, DoubleNode.valueOf(value));
        return this;
    }

    /**
     * Writes a value: texts, truth values, numbers (whole ones without a fraction), lists of them and objects with
     * them; null for an absent one and for an empty list.
     */
    public ConfigWriter put(String key, Object value) {
        values.put(key, value instanceof TargetModules modules ? modules.names().<JsonNode>map(ConfigWriter::list)
                .orElseGet(() -> node(modules.text())) : node(value));
        return this;
    }

    /** The whole text. */
    String toJson() {
        ObjectNode root = JSON.objectNode();
        root.setAll(values);
        return ConfigJson.write(root);
    }

    private static JsonNode node(Object value) {
        if (value instanceof Optional<?> optional) {
            return optional.map(ConfigWriter::node).orElse(NullNode.instance);
        }
        if (value instanceof OneOrMany<?> items) {
            return node(items.single() ? items.values().get(0) : items.values());
        }
        if (value instanceof TokenIndices tokens) {
            return node(tokens.byLayer().isEmpty() ? tokens.ofEmbedding() : tokens.byLayer());
        }
        if (value instanceof Collection<?> items) {
            return items.isEmpty() ? NullNode.instance : list(items);
        }
        if (value instanceof Map<?, ?> entries) {
            ObjectNode object = JSON.objectNode();
            entries.forEach((name, entry) -> object.set((String) name, entry instanceof Collection<?> items
                    ? list(items) : node(entry)));
            return object;
        }
        if (value instanceof Number number) {
            double whole = number.doubleValue();
            return whole == Math.rint(whole) && Math.abs(whole) <= Integer.MAX_VALUE ? IntNode.valueOf((int) whole)
                    : DoubleNode.valueOf(whole);
        }
        return value instanceof Boolean flag ? JSON.booleanNode(flag) : TextNode.valueOf((String) value);
    }

    private static ArrayNode list(Collection<?> items) {
        ArrayNode array = JSON.arrayNode();
        items.forEach(item -> array.add(node(item)));
        return array;
    }
}
