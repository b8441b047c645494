package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What merging an adapter adds to the weight of a linear layer or an embedding, whatever its method.
 *
 * @param slot the place
 * @param delta merged weight less base weight, [rows, columns] of the weight in c order
 */
@Internal(shared = true)
public record MergeDelta(Slot slot, double[] delta) {
    /**
     * Works out the changes one place after the other, so that one of them is in memory at a time.
     *
     * @throws ConfigurationException when the adapter cannot be merged, or changes a norm or a bias
     */
    public static void forEach(Adapter adapter, Consumer<MergeDelta> consumer) {
        Map<Slot, List<AdapterLayer>> places = new LinkedHashMap<>();
        for (boolean replacing : new boolean[] {true, false}) {
            adapter.layers().stream().filter(layer -> layer.replacesBase() == replacing).forEach(layer -> {
                layer.mergeObstacle().ifPresent(reason -> {
                    throw new ConfigurationException("the adapter cannot be merged at " + layer.slot().path() + ": "
                            + reason);
                });
                places.computeIfAbsent(layer.slot(), s -> new ArrayList<>()).add(layer);
            });
        }
        places.forEach((slot, layers) -> {
            try (MergedLayer copy = MergedLayer.copyOf(slot)) {
                layers.forEach(layer -> layer.mergeInto(copy));
                consumer.accept(new MergeDelta(slot, difference(slot, copy)));
            }
        });
    }

    /** The weight of a linear layer or the table of an embedding. */
    public static FrozenWeight weight(Slot slot) {
        if (slot.layer() instanceof WeightedLayer layer && layer.matrix().isPresent()) {
            return layer.matrix().get();
        }
        throw new ConfigurationException("the adapter changes " + slot + ", which has no matrix");
    }

    private static double[] difference(Slot slot, MergedLayer copy) {
        if (slot.layer() instanceof WeightedLayer layer && layer.bias().isPresent()
                && !java.util.Arrays.equals(Arrays.toFloats(layer.bias().get()),
                        Arrays.toFloats(copy.bias().orElseThrow()))) {
            throw new ConfigurationException("the adapter changes the bias at " + slot.path()
                    + ", which a product of matrices cannot");
        }
        FrozenWeight weight = weight(slot);
        INDArray merged = copy.weight();
        int columns = weight.columns();
        float[] before = new float[columns];
        float[] after = new float[columns];
        double[] delta = new double[Math.multiplyExact(weight.rows(), columns)];
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, before, 0);
            Arrays.read(merged, (long) i * columns, after, 0, columns);
            for (int j = 0; j < columns; j++) {
                delta[i * columns + j] = (double) after[j] - before[j];
            }
        }
        return delta;
    }
}
