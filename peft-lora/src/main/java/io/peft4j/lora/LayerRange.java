package io.peft4j.lora;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.ConfigWriter;
import io.peft4j.core.peft.config.KeyFormat;
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
     * @throws io.peft4j.core.error.ConfigurationException when the range is empty or begins below 0
     */
    public LayerRange {
        Checks.require(start >= 0 && end > start, "layer_replication has the range [" + start + ", " + end
                + "); it must start at 0 or later and end after its start");
    }

    /** The numbers of all layers of the ranges, in their order. */
    public static List<Integer> layers(List<LayerRange> ranges) {
        return ranges.stream().flatMap(range -> IntStream.range(range.start, range.end).boxed()).toList();
    }

    /** The ranges that give an order of layers. */
    public static List<LayerRange> ranges(List<Integer> order) {
        List<LayerRange> ranges = new ArrayList<>();
        for (int from = 0, to; from < order.size(); from = to) {
            to = from + 1;
            while (to < order.size() && order.get(to) == order.get(to - 1) + 1) {
                to++;
            }
            ranges.add(new LayerRange(order.get(from), order.get(to - 1) + 1));
        }
        return ranges;
    }

    /** Pairs of numbers, or null if there is none. */
    static final class Format implements KeyFormat<List<LayerRange>> {
        @Override
        public List<LayerRange> read(ConfigReader reader, String key, String fallback) {
            return reader.integerLists(key).stream().map(pair -> {
                Checks.require(pair.size() == 2, key + " has " + pair + "; it must be a list of [start, end]");
                return new LayerRange(pair.get(0), pair.get(1));
            }).toList();
        }

        @Override
        public void write(ConfigWriter writer, String key, List<LayerRange> ranges) {
            writer.putJson(key, ranges.isEmpty() ? "null" : ranges.stream()
                    .map(range -> List.of(range.start, range.end))
                    .toList().toString());
        }
    }
}
