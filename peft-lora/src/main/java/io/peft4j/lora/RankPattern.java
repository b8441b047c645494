package io.peft4j.lora;

import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
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
    private static final String KEY = "rank_pattern";
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
        Map<String, List<Boolean>> kept = new LinkedHashMap<>();
        reader.truths(KEY).forEach((name, ranks) -> kept.put(path(name), ranks));
        return kept.isEmpty() ? Optional.empty() : Optional.of(new RankPattern(kept));
    }

    private static String path(String name) {
        return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    }

    ConfigWriter write(ConfigWriter writer) {
        Map<String, List<Boolean>> named = new LinkedHashMap<>();
        kept.forEach((path, ranks) -> named.put(path + SUFFIX, ranks));
        return writer.putTruths(KEY, named);
    }
}
