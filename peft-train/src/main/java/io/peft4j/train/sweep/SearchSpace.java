package io.peft4j.train.sweep;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a sweep tries: for each option a list of values or a range.
 *
 * <pre>{@code
 * {"learning_rate": {"min": 1e-4, "max": 1e-2, "log": true, "points": 5},
 *  "rank": [4, 8, 16, 32],
 *  "target_modules": ["all-linear", ["q_proj", "v_proj"]],
 *  "epochs": {"min": 1, "max": 4}}
 * }</pre>
 *
 * <p>A range of whole numbers gives whole numbers. {@code "points"} is for a grid.
 *
 * @param domains the values by the name of the option
 */
public record SearchSpace(Map<String, Domain> domains) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Set<String> RANGE = new TreeSet<>(List.of("min", "max", "log", "points"));

    /**
     * Copies the domains in their order.
     *
     * @throws ConfigurationException when there is none
     */
    public SearchSpace {
        domains = Collections.unmodifiableMap(new LinkedHashMap<>(domains));
        if (domains.isEmpty()) {
            throw new ConfigurationException("the space of a sweep has no option; give for instance "
                    + "{\"learning_rate\": [1e-4, 1e-3]}");
        }
    }

    /**
     * Reads a JSON file.
     *
     * @throws ConfigurationException when it is no space; says where
     * @throws UncheckedIOException when it cannot be read
     */
    public static SearchSpace read(Path file) {
        try {
            return of(Files.readString(file), file.toString());
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("cannot read " + file + ": no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads JSON.
     *
     * @param source where it comes from, for messages
     * @throws ConfigurationException when it is no space
     */
    public static SearchSpace of(String json, String source) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException(source + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.isObject()) {
            throw new ConfigurationException(source + " is not a JSON object; give for each option a list of values or "
                    + "a range, such as {\"rank\": [8, 16], \"learning_rate\": {\"min\": 1e-4, \"max\": 1e-2, "
                    + "\"log\": true}}");
        }
        Map<String, Domain> domains = new LinkedHashMap<>();
        root.properties().forEach(entry -> {
            try {
                domains.put(entry.getKey(), domain(entry.getValue()));
            } catch (ConfigurationException e) {
                throw new ConfigurationException(source + ": \"" + entry.getKey() + "\": " + e.getMessage(), e);
            }
        });
        return new SearchSpace(domains);
    }

    private static Domain domain(JsonNode node) {
        if (node.isArray()) {
            List<JsonNode> values = new ArrayList<>();
            node.forEach(values::add);
            return new Domain.Choices(values);
        }
        if (!node.isObject()) {
            throw new ConfigurationException("is " + node + "; it must be a list of values, or a range {\"min\", "
                    + "\"max\"}. What is the same for all trials is an option of the sweep");
        }
        node.fieldNames().forEachRemaining(name -> {
            if (!RANGE.contains(name)) {
                throw new ConfigurationException(
                        "a range has no \"" + name + "\"; " + SimilarNames.sentence(name, RANGE));
            }
        });
        JsonNode log = node.path("log");
        JsonNode points = node.path("points");
        if (!log.isMissingNode() && !log.isBoolean() || !points.isMissingNode() && !points.isInt()) {
            throw new ConfigurationException("\"log\" must be true or false, and \"points\" a whole number");
        }
        return new Domain.Range(number(node, "min"), number(node, "max"), log.asBoolean(),
                node.get("min").isIntegralNumber() && node.get("max").isIntegralNumber(), points.asInt());
    }

    private static double number(JsonNode node, String key) {
        if (!node.path(key).isNumber()) {
            throw new ConfigurationException("\"" + key + "\" is " + (node.has(key) ? node.get(key) : "missing")
                    + "; a range needs the numbers \"min\" and \"max\"");
        }
        return node.get(key).asDouble();
    }
}
