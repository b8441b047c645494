package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.cloud.jobs.JobCommands.Form;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Options by name, as a cloud passes them, made into the words of a command line. All faults are reported together.
 *
 * @param kind what the cloud calls such an option, for messages
 * @param options the options that there are
 * @param settled those that the container sets itself, each with where it takes the value from
 */
record OptionWords(String kind, Map<String, Form> options, Map<String, String> settled) {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * The words for values by name, in alphabetical order.
     *
     * @param values by name, with underscores for dashes; a value may be quoted as JSON, a list be a JSON array, also
     *     a quoted one
     * @throws ConfigurationException when a name is unknown or settled, or a flag neither true nor false
     */
    List<String> of(Map<String, String> values) {
        List<String> words = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        new TreeMap<>(values).forEach((name, value) -> add(name, value, words, problems));
        if (!problems.isEmpty()) {
            throw new ConfigurationException(String.join("; ", problems));
        }
        return words;
    }

    private void add(String name, String value, List<String> words, List<String> problems) {
        String option = name.replace('_', '-');
        Form form = options.get(option);
        if (settled.containsKey(option)) {
            problems.add(kind + " '" + name + "' cannot be set: " + settled.get(option));
        } else if (form == null) {
            problems.add("unknown " + kind + " '" + name + "'; " + SimilarNames.sentence(name, names()));
        } else if (form == Form.FLAG) {
            addFlag(name, unquoted(value), words, problems);
        } else if (form == Form.LIST) {
            list(value).forEach(item -> words.add("--" + option + "=" + item));
        } else {
            // Names of layers and the like have commas between them on the command line.
            words.add("--" + option + "=" + String.join(",", list(value)));
        }
    }

    private void addFlag(String name, String value, List<String> words, List<String> problems) {
        if (value.equalsIgnoreCase("true") || value.equals("1")) {
            words.add("--" + name.replace('_', '-'));
        } else if (!value.equalsIgnoreCase("false") && !value.equals("0")) {
            problems.add(kind + " '" + name + "' is '" + value + "'; it must be true or false");
        }
    }

    private TreeSet<String> names() {
        TreeSet<String> names = new TreeSet<>();
        options.keySet().stream().filter(name -> !settled.containsKey(name))
                .forEach(name -> names.add(name.replace('-', '_')));
        return names;
    }

    /** SageMaker's Python SDK writes values as JSON, so that a text comes with quotes; others write it plainly. */
    private static String unquoted(String value) {
        return value.startsWith("\"") ? json(value).filter(JsonNode::isTextual).map(JsonNode::asText).orElse(value)
                : value;
    }

    /** One value, or those of a JSON list, which may be quoted. */
    private static List<String> list(String value) {
        String text = unquoted(value);
        List<String> items = new ArrayList<>();
        (text.startsWith("[") ? json(text) : Optional.<JsonNode>empty()).filter(JsonNode::isArray).ifPresentOrElse(
                all -> all.forEach(item -> items.add(item.isValueNode() ? item.asText() : item.toString())),
                () -> items.add(text));
        return items;
    }

    /** The value of a text that is JSON; a regular expression, say, may look like the beginning of it. */
    private static Optional<JsonNode> json(String text) {
        try {
            return Optional.of(JSON.readTree(text));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
