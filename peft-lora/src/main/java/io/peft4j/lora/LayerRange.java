package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.AdapterSetup;
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

    /**
     * The configuration of a new adapter with the layers that the model it stands on has repeated or left out, so that
     * a file says them, also where an adapter that is there already brought them.
     */
    static LoraConfig described(LoraConfig config, AdapterSetup setup) {
        List<Integer> order = setup.base().layerOrder();
        boolean arranged = !order.equals(IntStream.range(0, order.size()).boxed().toList());
        return setup.isRestoring() || !config.layerReplication().isEmpty() || !arranged ? config
                : config.toBuilder().layerReplication(ranges(order)).build();
    }

    /** The ranges that give an order of layers. */
    static List<LayerRange> ranges(List<Integer> order) {
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
