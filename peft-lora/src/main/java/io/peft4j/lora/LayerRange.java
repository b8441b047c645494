package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Some decoder layers that follow each other.
 *
 * @param start number of the first, from 0
 * @param end number after that of the last
 */
public record LayerRange(int start, int end) {
    /**
     * Checks the order.
     *
     * @throws ConfigurationException when the range is empty or begins below 0
     */
    public LayerRange {
        if (start < 0 || end <= start) {
            throw new ConfigurationException("layer_replication has the range [" + start + ", " + end
                    + "); it must begin at 0 or later and end behind its beginning");
        }
    }

    /** The numbers of all layers of the ranges, in their order. */
    static List<Integer> layers(List<LayerRange> ranges) {
        return ranges.stream().flatMap(range -> IntStream.range(range.start, range.end).boxed()).toList();
    }

    /** From pairs of numbers. */
    static List<LayerRange> of(List<List<Integer>> pairs) {
        List<LayerRange> ranges = new ArrayList<>();
        for (List<Integer> pair : pairs) {
            if (pair.size() != 2) {
                throw new ConfigurationException("layer_replication has " + pair
                        + "; it must be a list of [start, end]");
            }
            ranges.add(new LayerRange(pair.get(0), pair.get(1)));
        }
        return ranges;
    }

    /** The JSON text of ranges; null where there is none. */
    static String json(List<LayerRange> ranges) {
        return ranges.isEmpty() ? "null" : ranges.stream().map(range -> List.of(range.start, range.end)).toList()
                .toString();
    }
}
