package io.peft4j.models.export;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ModelTensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The tensors of a network under their names in a checkpoint, those that merging changed with their new values. Where
 * the output layer is the embedding and merging has made two of them, both are there.
 *
 * @param tensors the tensors in the order of the network
 * @param tied whether the output layer is the embedding
 */
record MergedTensors(List<ModelTensor> tensors, boolean tied) {
    /** With the given values in place of the network's. */
    static MergedTensors of(Network network, Map<String, INDArray> merged) {
        boolean tied = network.description().tiedEmbeddings() && areOne(
                Optional.ofNullable(merged.get(network.embedding().path() + ".weight")),
                network.output().map(output -> merged.get(output.path() + ".weight")));
        List<ModelTensor> tensors = new ArrayList<>();
        for (Slot slot : network.slots()) {
            if (tied && network.output().filter(slot::equals).isPresent()) {
                addBias(tensors, slot, merged);
            } else {
                add(tensors, slot, merged);
            }
        }
        return new MergedTensors(List.copyOf(tensors), tied);
    }

    /** Whether none was changed, or both to the same values, as full fine-tuning does. */
    private static boolean areOne(Optional<INDArray> embedding, Optional<INDArray> head) {
        if (embedding.isEmpty() || head.isEmpty()) {
            return embedding.isEmpty() && head.isEmpty();
        }
        float[] mine = new float[Arrays.columns(head.get())];
        float[] other = new float[mine.length];
        for (int row = 0; row < Arrays.rows(head.get()); row++) {
            Arrays.read(embedding.get(), (long) row * mine.length, mine, 0, mine.length);
            Arrays.read(head.get(), (long) row * mine.length, other, 0, mine.length);
            if (!java.util.Arrays.equals(mine, other)) {
                return false;
            }
        }
        return true;
    }

    private static void add(List<ModelTensor> tensors, Slot slot, Map<String, INDArray> merged) {
        Layer layer = slot.layer();
        String name = slot.path() + ".weight";
        if (layer instanceof ModelTensors own) {
            tensors.addAll(own.tensors(slot.path()));
        }
        if (layer instanceof WeightedLayer weighted) {
            weighted.vector().ifPresent(values -> tensors.add(vector(name, merged.getOrDefault(name, values))));
            weighted.matrix().ifPresent(weight -> tensors.add(matrix(name, weight, merged,
                    weighted.isStoredTransposed())));
            addBias(tensors, slot, merged);
        }
    }

    private static void addBias(List<ModelTensor> tensors, Slot slot, Map<String, INDArray> merged) {
        String name = slot.path() + ".bias";
        if (slot.layer() instanceof WeightedLayer weighted) {
            weighted.bias().ifPresent(values -> tensors.add(vector(name, merged.getOrDefault(name, values))));
        }
    }

    private static ModelTensor vector(String name, INDArray values) {
        int length = (int) values.length();
        return new ModelTensor(name, new long[] {length}, (row, target) -> Arrays.read(values, 0, target, 0, length));
    }

    private static ModelTensor matrix(String name, FrozenWeight weight, Map<String, INDArray> merged,
            boolean transposed) {
        INDArray changed = merged.get(name);
        int columns = weight.columns();
        RowReader rows = changed == null ? (row, target) -> weight.readRow(row, target, 0)
                : (row, target) -> Arrays.read(changed, (long) row * columns, target, 0, columns);
        ModelTensor tensor = new ModelTensor(name, new long[] {weight.rows(), columns}, rows);
        return transposed ? tensor.transposed() : tensor;
    }
}
