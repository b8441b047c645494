package io.peft4j.lora.init;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/** Layers in groups whose statistics fit into memory together; the data is passed through the model once a group. */
final class LayerGroups {
    /** Elements that the statistics of a group may have: 256 MB of doubles. */
    private static final long MOST_ELEMENTS = 32L << 20;

    private LayerGroups() {
    }

    /** The targets in their order, in groups. */
    static List<List<LoraTarget>> of(List<LoraTarget> targets, ToLongFunction<LoraTarget> elements) {
        List<List<LoraTarget>> groups = new ArrayList<>();
        long sum = 0;
        for (LoraTarget target : targets) {
            sum += elements.applyAsLong(target);
            if (groups.isEmpty() || sum > MOST_ELEMENTS) {
                groups.add(new ArrayList<>());
                sum = elements.applyAsLong(target);
            }
            groups.get(groups.size() - 1).add(target);
        }
        return groups;
    }
}
