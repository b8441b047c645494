package io.peft4j.models.architecture;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which places have tensors whose values differ between llama.cpp's files and Hugging Face's, and how. Instances are
 * immutable.
 *
 * @param places the groups at each place of a difference, by the place without what the names of layers begin with
 */
record GgufDifferences(Map<GgufDifference, Map<String, GgufGroups>> places) {
    /** All tensors are the same in both. */
    static final GgufDifferences NONE = new GgufDifferences(Map.of());

    /** Also at these places. */
    GgufDifferences at(GgufDifference difference, GgufGroups groups, String... more) {
        Map<GgufDifference, Map<String, GgufGroups>> all = new EnumMap<>(GgufDifference.class);
        all.putAll(places);
        Map<String, GgufGroups> own = new LinkedHashMap<>(places.getOrDefault(difference, Map.of()));
        for (String place : more) {
            own.put(place, groups);
        }
        all.put(difference, own);
        return new GgufDifferences(all);
    }

    Optional<GgufGroups> find(GgufDifference difference, Predicate<String> fits) {
        return places.getOrDefault(difference, Map.of()).entrySet().stream().filter(place -> fits.test(place.getKey()))
                .map(Map.Entry::getValue).findFirst();
    }
}
