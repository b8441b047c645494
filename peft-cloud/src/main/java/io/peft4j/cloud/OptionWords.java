package io.peft4j.cloud;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NearNames;
import io.peft4j.cloud.JobCommands.Form;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Options by name, as a cloud passes them, made into the words of a command line. All that is wrong is told at once.
 *
 * @param kind what the cloud calls such an option, for messages
 * @param options the options that there are
 * @param settled those that the container sets itself, each with where it takes the value from
 */
record OptionWords(String kind, Map<String, Form> options, Map<String, String> settled) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * The words for values by name, in alphabetical order.
     *
     * @param values by name, with underscores for dashes; a value may be quoted as JSON, a list be a JSON array
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
            problems.add(kind + " '" + name + "' is not one to set: " + settled.get(option));
        } else if (form == null) {
            problems.add("unknown " + kind + " '" + name + "'; " + NearNames.sentence(name, names()));
        } else if (form == Form.FLAG) {
            addFlag(name, unquoted(value), words, problems);
        } else if (form == Form.LIST) {
            list(value).forEach(item -> words.add("--" + option + "=" + item));
        } else {
            words.add("--" + option + "=" + unquoted(value));
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

    /** SageMaker's Python SDK writes values as JSON, so that a text comes with quotes. */
    private static String unquoted(String value) {
        if (value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")) {
            try {
                return JSON.readTree(value).asText();
            } catch (JsonProcessingException e) {
                return value;
            }
        }
        return value;
    }

    private static List<String> list(String value) {
        List<String> items = new ArrayList<>();
        if (value.startsWith("[")) {
            try {
                for (JsonNode item : JSON.readTree(value)) {
                    items.add(item.isTextual() ? item.asText() : item.toString());
                }
                return items;
            } catch (JsonProcessingException e) {
                // It is one value that begins with a bracket.
                items.clear();
            }
        }
        items.add(unquoted(value));
        return items;
    }
}
