package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Network;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.peft.method.Targets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The decoder layers that get an adapter.
 *
 * @param first the first, counted from 0
 * @param last the last; any larger number stands for the network's last
 */
record AdaptedLayers(int first, int last) {
    static final AdaptedLayers ALL = new AdaptedLayers(0, Integer.MAX_VALUE);
    private static final Pattern RANGE = Pattern.compile("(\\d{1,4})-(\\d{1,4})");
    private static final String LAYERS = "layers_to_transform";
    private static final String TARGETS = "target_modules";

    /** The layers from one on. */
    static AdaptedLayers from(int first) {
        return new AdaptedLayers(first, Integer.MAX_VALUE);
    }

    /**
     * The layers of a word: {@code all} or a range such as {@code 18-29}.
     *
     * @throws ConfigurationException when it is neither
     */
    static AdaptedLayers of(String word) {
        if (word.equalsIgnoreCase("all")) {
            return ALL;
        }
        Matcher range = RANGE.matcher(word);
        if (!range.matches() || Integer.parseInt(range.group(1)) > Integer.parseInt(range.group(2))) {
            throw new ConfigurationException("--layers '" + word + "' is neither all nor auto nor a range such as "
                    + "18-29");
        }
        return new AdaptedLayers(Integer.parseInt(range.group(1)), Integer.parseInt(range.group(2)));
    }

    /**
     * The configuration for these layers of a network.
     *
     * @throws ConfigurationException when the method cannot choose layers, or the network has fewer
     */
    PeftConfig apply(PeftConfig config, Network network) {
        if (equals(ALL)) {
            return config;
        }
        int count = network.description().layers();
        if (first >= count || last != Integer.MAX_VALUE && last >= count) {
            throw new ConfigurationException("--layers: the layers of " + network.description().name() + " are 0 to "
                    + (count - 1) + ", and " + first + " to " + last + " were asked for");
        }
        ObjectNode changed = json(config);
        if (!changed.has(LAYERS)) {
            throw new ConfigurationException("adapters of type " + config.peftType() + " cannot be put on some layers "
                    + "only; leave out --layers");
        }
        ArrayNode chosen = changed.putArray(LAYERS);
        IntStream.rangeClosed(first, Math.min(last, count - 1)).forEach(chosen::add);
        if (changed.path(TARGETS).asText().equalsIgnoreCase("all-linear")) {
            ArrayNode names = changed.putArray(TARGETS);
            Targets.allLinearNames(network).names().orElseThrow().forEach(names::add);
        }
        return PeftMethods.readConfig(changed.toString(), "--layers");
    }

    /** A configuration's JSON, to be changed. */
    static ObjectNode json(PeftConfig config) {
        try {
            return (ObjectNode) CommandJson.MAPPER.readTree(config.toJson());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration writes itself as JSON", e);
        }
    }
}
