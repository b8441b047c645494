package io.peft4j.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which of the initial ranks of each layer AdaLoRA has left.
 *
 * @param kept by the path of the layer, one value for each initial rank
 */
public record RankPattern(Map<String, List<Boolean>> kept) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SUFFIX = ".lora_E";

    /** Copies the map. */
    public RankPattern {
        Map<String, List<Boolean>> copy = new LinkedHashMap<>();
        kept.forEach((path, ranks) -> copy.put(path, List.copyOf(ranks)));
        kept = Collections.unmodifiableMap(copy);
    }

    /** The numbers of the ranks that a layer has left; all of {@code initial} where nothing is known of it. */
    int[] indices(String path, int initial) {
        List<Boolean> ranks = kept.get(path);
        List<Integer> indices = new ArrayList<>();
        for (int i = 0; i < initial; i++) {
            if (ranks == null || i < ranks.size() && ranks.get(i)) {
                indices.add(i);
            }
        }
        return indices.stream().mapToInt(Integer::intValue).toArray();
    }

    static Optional<RankPattern> read(ConfigReader reader) {
        Optional<String> json = reader.json("rank_pattern").filter(text -> !text.equals("null") && !text.equals("{}"));
        return json.map(text -> parse(text, reader.source()));
    }

    private static RankPattern parse(String text, String source) {
        Map<String, List<Boolean>> kept = new LinkedHashMap<>();
        try {
            JsonNode root = JSON.readTree(text);
            root.properties().forEach(entry -> kept.put(path(entry.getKey()), ranks(entry.getValue())));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the reader gave JSON that is none", e);
        }
        if (kept.isEmpty() || kept.values().stream().anyMatch(List::isEmpty)) {
            throw new ConfigurationException(source + ": rank_pattern must be an object with a list of true and false "
                    + "for each layer");
        }
        return new RankPattern(kept);
    }

    private static String path(String key) {
        return key.endsWith(SUFFIX) ? key.substring(0, key.length() - SUFFIX.length()) : key;
    }

    /** Empty where it is anything else than a list of truth values. */
    private static List<Boolean> ranks(JsonNode node) {
        List<Boolean> ranks = new ArrayList<>();
        for (JsonNode item : node) {
            if (!item.isBoolean()) {
                return List.of();
            }
            ranks.add(item.booleanValue());
        }
        return node.isArray() ? ranks : List.of();
    }

    String json() {
        ObjectNode root = JSON.createObjectNode();
        kept.forEach((path, ranks) -> {
            ArrayNode array = root.putArray(path + SUFFIX);
            ranks.forEach(array::add);
        });
        return root.toString();
    }
}
