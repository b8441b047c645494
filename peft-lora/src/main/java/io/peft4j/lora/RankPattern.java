package io.peft4j.lora;

import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.ConfigWriter;
import io.peft4j.core.peft.config.KeyFormat;
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
    private static final String SUFFIX = ".lora_E";

    /** Copies the map. */
    public RankPattern {
        Map<String, List<Boolean>> copy = new LinkedHashMap<>();
        kept.forEach((path, ranks) -> copy.put(path, List.copyOf(ranks)));
        kept = Collections.unmodifiableMap(copy);
    }

    /** The numbers of the ranks that a layer has left; all of {@code initial} where nothing is known of it. */
    public int[] indices(String path, int initial) {
        List<Boolean> ranks = kept.get(path);
        List<Integer> indices = new ArrayList<>();
        for (int i = 0; i < initial; i++) {
            if (ranks == null || i < ranks.size() && ranks.get(i)) {
                indices.add(i);
            }
        }
        return indices.stream().mapToInt(Integer::intValue).toArray();
    }

    /** An object with a list of truth values for each layer's {@code lora_E}, or null. */
    static final class Format implements KeyFormat<Optional<RankPattern>> {
        @Override
        public Optional<RankPattern> read(ConfigReader reader, String key, String fallback) {
            Map<String, List<Boolean>> kept = new LinkedHashMap<>();
            reader.truths(key).forEach((name, ranks) -> kept.put(name.endsWith(SUFFIX)
                    ? name.substring(0, name.length() - SUFFIX.length()) : name, ranks));
            return kept.isEmpty() ? Optional.empty() : Optional.of(new RankPattern(kept));
        }

        @Override
        public void write(ConfigWriter writer, String key, Optional<RankPattern> pattern) {
            Map<String, List<Boolean>> named = new LinkedHashMap<>();
            pattern.ifPresent(ranks -> ranks.kept.forEach((path, kept) -> named.put(path + SUFFIX, kept)));
            writer.put(key, pattern.map(ranks -> named));
        }
    }
}
