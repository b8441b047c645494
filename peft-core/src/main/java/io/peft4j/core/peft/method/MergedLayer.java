package io.peft4j.core.peft.method;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.io.Closer;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A copy of a base layer in f32 that adapters write themselves into. The base layer is not touched. Owns its arrays.
 */
public final class MergedLayer implements AutoCloseable {
    private final Slot slot;
    private final INDArray weight;
    private final Optional<INDArray> bias;
    private final Layer layer;

    private MergedLayer(Slot slot, INDArray weight, Optional<INDArray> bias, Layer layer) {
        this.slot = slot;
        this.weight = weight;
        this.bias = bias;
        this.layer = layer;
    }

    /** Whether a layer of this kind can be copied: one with a weight of its own. */
    public static boolean canCopy(Layer layer) {
        return layer instanceof WeightedLayer;
    }

    /** Copies the layer at {@code slot}. */
    public static MergedLayer copyOf(Slot slot) {
        if (slot.layer() instanceof WeightedLayer base) {
            try (Closer opened = new Closer()) {
                INDArray weight = opened.add(base.copyOfWeight());
                Optional<INDArray> bias = base.bias().map(values -> opened.add(Arrays.of(Arrays.toFloats(values),
                        values.shape())));
                MergedLayer copy = new MergedLayer(slot, weight, bias, base.with(weight, bias));
                opened.keep();
                return copy;
            }
        }
        throw new IllegalArgumentException("no weight to merge into at " + slot);
    }

    /** The place. */
    public Slot slot() {
        return slot;
    }

    /** The weight, to be changed in place: FLOAT [out, in], for an embedding [V, H], for a norm [H]. */
    public INDArray weight() {
        return weight;
    }

    /** The bias of a linear layer that has one, to be changed in place: FLOAT [out]. */
    public Optional<INDArray> bias() {
        return bias;
    }

    /** Overwrites the weight. */
    public void setWeight(INDArray values) {
        overwrite(weight, values);
    }

    /**
     * Overwrites the bias.
     *
     * @throws IllegalStateException when the layer has none
     */
    public void setBias(INDArray values) {
        overwrite(bias.orElseThrow(() -> new IllegalStateException("no bias at " + slot)), values);
    }

    private static void overwrite(INDArray target, INDArray values) {
        if (values.dataType() != DataType.FLOAT || !java.util.Arrays.equals(values.shape(), target.shape())) {
            throw new IllegalArgumentException("cannot put " + values.shapeInfoToString() + " in place of "
                    + target.shapeInfoToString());
        }
        NativeMemory.copy(Arrays.address(values), Arrays.address(target), Float.BYTES * values.length());
    }

    /** Whether all values are finite. */
    public boolean isFinite() {
        return Arrays.isFinite(weight) && bias.map(Arrays::isFinite).orElse(true);
    }

    /** The layer that computes with the copy. */
    public Layer layer() {
        return layer;
    }

    /** Name in a checkpoint and value. */
    public Map<String, INDArray> tensors() {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(slot.path() + ".weight", weight);
        bias.ifPresent(b -> tensors.put(slot.path() + ".bias", b));
        return tensors;
    }

    @Override
    public void close() {
        weight.close();
        bias.ifPresent(INDArray::close);
    }
}
