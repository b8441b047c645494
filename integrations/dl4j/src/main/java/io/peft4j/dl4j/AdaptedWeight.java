package io.peft4j.dl4j;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A weight of a running layer with what is trained for it; all arrays are views of the network's or the layer's. */
final class AdaptedWeight {
    private final Weight weight;
    private final WeightUpdate change;
    private final Map<String, INDArray> values = new LinkedHashMap<>();
    private final Map<String, INDArray> gradients = new LinkedHashMap<>();
    private WeightMatrix frozen;
    private WeightMatrix changed;
    private WeightMatrix gradient;
    private Optional<Kept> kept = Optional.empty();
    private Optional<INDArray> changedBias = Optional.empty();
    private Optional<INDArray> frozenBias = Optional.empty();
    private Optional<INDArray> biasGradient = Optional.empty();

    /**
     * What a method may keep from a pass to the way back, out of DeepLearning4J's workspaces.
     *
     * @param matrix of the size of the weight
     * @param outputs a value for each output
     */
    record Kept(WeightMatrix matrix, INDArray outputs) {
    }

    AdaptedWeight(Weight weight, WeightUpdate change) {
        this.weight = weight;
        this.change = change;
    }

    /** How many values are trained. */
    static long length(WeightUpdate change) {
        return change.tensors().stream().mapToLong(WeightUpdate.Tensor::length).sum();
    }

    /** The tensors by key in a part of a flat array that holds one after the other. */
    static Map<String, INDArray> views(Weight weight, WeightUpdate change, INDArray flat) {
        Map<String, INDArray> views = new LinkedHashMap<>();
        long from = 0;
        for (WeightUpdate.Tensor tensor : change.tensors()) {
            INDArray part = flat.get(NDArrayIndex.interval(from, from + tensor.length()));
            views.put(key(weight, tensor), tensor.rows() == 0 ? part
                    : part.reshape('f', true, tensor.rows(), tensor.columns()));
            from += tensor.length();
        }
        return views;
    }

    /** How a tensor is called in DeepLearning4J's tables. */
    static String key(Weight weight, WeightUpdate.Tensor tensor) {
        return weight.key() + "." + tensor.key();
    }

    /** Takes the arrays of a network. */
    void bind(Map<String, INDArray> frozenTable, Map<String, INDArray> changedTable, INDArray flat) {
        frozen = weight.in(frozenTable.get(weight.key()));
        changed = weight.in(changedTable.get(weight.key()));
        frozenBias = bias(frozenTable);
        changedBias = bias(changedTable);
        values.clear();
        values.putAll(views(weight, change, flat));
    }

    /** Takes the arrays of gradients. */
    void bindGradients(Map<String, INDArray> table, INDArray flat) {
        gradient = weight.in(table.get(weight.key()));
        biasGradient = bias(table);
        gradients.clear();
        gradients.putAll(views(weight, change, flat));
    }

    private Optional<INDArray> bias(Map<String, INDArray> table) {
        return Optional.ofNullable(weight.bias().isEmpty() ? null : table.get(weight.bias()));
    }

    Weight weight() {
        return weight;
    }

    WeightUpdate change() {
        return change;
    }

    /** The tensors by their keys in the table. */
    Map<String, INDArray> values() {
        return values;
    }

    /** Their gradients by the same keys. */
    Map<String, INDArray> gradients() {
        return gradients;
    }

    INDArray value(WeightUpdate.Tensor tensor) {
        return values.get(key(weight, tensor));
    }

    INDArray gradientOf(WeightUpdate.Tensor tensor) {
        return gradients.get(key(weight, tensor));
    }

    /** What is kept, made at the first use. */
    Kept kept() {
        if (kept.isEmpty()) {
            try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
                kept = Optional.of(new Kept(changed.another(), Nd4j.create(changed.array().dataType(),
                        weight.outputs())));
            }
        }
        return kept.get();
    }

    /** W. */
    WeightMatrix frozen() {
        return frozen;
    }

    /** W', what the layer computes with. */
    WeightMatrix changed() {
        return changed;
    }

    /** dW'. */
    WeightMatrix gradient() {
        return gradient;
    }

    /** The bias that is added to the outputs, as the base has it. */
    Optional<INDArray> frozenBias() {
        return frozenBias;
    }

    /** The bias that the layer computes with. */
    Optional<INDArray> changedBias() {
        return changedBias;
    }

    Optional<INDArray> biasGradient() {
        return biasGradient;
    }
}
