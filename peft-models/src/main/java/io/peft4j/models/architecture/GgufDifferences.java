package io.peft4j.models.architecture;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which places have tensors whose values differ between llama.cpp's files and Hugging Face's, and how. Instances are
 * immutable.
 *
 * @param places the places of each difference, without what the names of layers begin with
 */
record GgufDifferences(Map<Difference, Set<String>> places) {
    /** How a tensor may differ; {@link GgufForm} has a method for each. */
    enum Difference {
        ROTARY_PAIRS, BY_HEAD, ONE_ROW, ONE_CHANNEL, TRANSPOSED, SHIFTED, WITHOUT_ADAPTERS
    }

    /** All tensors are the same in both. */
    static final GgufDifferences NONE = new GgufDifferences(Map.of());

    /** Also at these places. */
    GgufDifferences at(Difference difference, String... more) {
        Map<Difference, Set<String>> all = new EnumMap<>(Difference.class);
        all.putAll(places);
        all.put(difference, Stream.concat(places(difference).stream(), Stream.of(more))
                .collect(Collectors.toUnmodifiableSet()));
        return new GgufDifferences(all);
    }

    Set<String> places(Difference difference) {
        return places.getOrDefault(difference, Set.of());
    }
}
