package io.peft4j.core.peft.file;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.peft.config.ConfigJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** {@link AdapterProvenance} as JSON. The file may come from anywhere; errors in it are reported. */
final class ProvenanceJson {
    private static final int FORMAT = 1;

    private final Path file;

    private ProvenanceJson(Path file) {
        this.file = file;
    }

    /** The text of a file. */
    public static String write(AdapterProvenance passport) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("format", FORMAT);
        root.put("base", passport.base());
        passport.description().forEach(root.putObject("description")::put);
        ArrayNode samples = root.putArray("weights");
        for (WeightSample sample : passport.samples()) {
            ObjectNode node = samples.addObject().put("name", sample.name());
            sample.shape().forEach(node.putArray("shape")::add);
            sample.values().forEach(node.putArray("values")::add);
        }
        root.put("tokenizer", passport.tokenizer());
        root.put("chat_template", passport.chatTemplate().orElse(null));
        root.put("config", passport.config());
        passport.training().forEach(root.putObject("training")::put);
        ArrayNode golden = root.putArray("golden");
        for (GoldenText text : passport.golden()) {
            ObjectNode node = golden.addObject().put("text", text.text()).put("nll", text.nll());
            text.ids().forEach(node.putArray("ids")::add);
        }
        return ConfigJson.write(root) + "\n";
    }

    static AdapterProvenance read(Path file) {
        try {
            return new ProvenanceJson(file)
                    .passport(ConfigJson.parseObject(ConfigJson.readFile(file), file.toString()));
        } catch (ConfigurationException e) {
            throw new FileFormatException(file, "is not an adapter passport: " + e.getMessage(), e);
        }
    }

    private AdapterProvenance passport(ObjectNode root) {
        if (root.path("format").asInt() != FORMAT) {
            throw wrong("format", "be " + FORMAT);
        }
        List<WeightSample> samples = list(root, "weights", node -> new WeightSample(text(node, "name"),
                list(node, "shape", this::integer), list(node, "values", n -> (float) number(n))));
        List<GoldenText> golden = list(root, "golden", node -> new GoldenText(text(node, "text"),
                list(node, "ids", this::integer), number(node.path("nll"))));
        return new AdapterProvenance(text(root, "base"), map(root, "description"), samples, text(root, "tokenizer"),
                root.path("chat_template").isTextual() ? Optional.of(text(root, "chat_template")) : Optional.empty(),
                text(root, "config"), map(root, "training"), golden);
    }

    private String text(JsonNode parent, String key) {
        return require(parent.path(key), JsonNode::isTextual, key, "a text").textValue();
    }

    private int integer(JsonNode node) {
        return require(node, n -> n.isInt(), "an element", "an integer").intValue();
    }

    private double number(JsonNode node) {
        return require(node, JsonNode::isNumber, "a value", "a number").doubleValue();
    }

    private <T> List<T> list(JsonNode parent, String key, Function<JsonNode, T> item) {
        List<T> items = new ArrayList<>();
        require(parent.path(key), JsonNode::isArray, key, "a list").forEach(node -> items.add(item.apply(node)));
        return items;
    }

    private Map<String, String> map(JsonNode parent, String key) {
        Map<String, String> values = new LinkedHashMap<>();
        require(parent.path(key), JsonNode::isObject, key, "an object").properties()
                .forEach(field -> values.put(field.getKey(), field.getValue().asText()));
        return values;
    }

    private JsonNode require(JsonNode node, Predicate<JsonNode> kind, String key, String expected) {
        if (!kind.test(node)) {
            throw wrong(key, "be " + expected);
        }
        return node;
    }

    private FileFormatException wrong(String key, String expected) {
        return new FileFormatException(file, "is not an adapter passport: " + key + " must " + expected);
    }
}
