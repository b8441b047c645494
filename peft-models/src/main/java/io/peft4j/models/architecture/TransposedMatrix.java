package io.peft4j.models.architecture;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import io.peft4j.core.weight.TensorStore;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads matrices that a file holds as their transposes, some rows of the result at a time. What is to be quantized
 * becomes bytes: blocks of 4 bits lie along rows that the file does not have in one piece.
 */
final class TransposedMatrix {
    /** Rows of the result that one pass over the file gives. */
    private static final int BLOCK = 256;

    private final TensorStore store;
    private final List<Runnable> tasks;

    /**
     * What reads tensors of a file.
     *
     * @param tasks gets the work; weights have their values when it is done
     */
    TransposedMatrix(TensorStore store, List<Runnable> tasks) {
        this.store = store;
        this.tasks = tasks;
    }

    /** Takes a row of the result. */
    @FunctionalInterface
    private interface Rows {
        void write(int row, float[] values, int offset);
    }

    /** The matrix [rows, columns] of a tensor [columns, rows]. */
    FrozenWeight read(String name, int rows, int columns, WeightType type) {
        if (type.linear() != WeightType.Linear.DENSE) {
            Int8Weight weight = new Int8Weight(rows, columns);
            convert(name, rows, columns, weight::quantizeRow);
            return weight;
        }
        INDArray values = Nd4j.createUninitializedDetached(type.activations(), rows, columns);
        convert(name, rows, columns,
                (row, source, offset) -> Arrays.write(values, (long) row * columns, source, offset, columns));
        return new DenseWeight(values);
    }

    private void convert(String name, int rows, int columns, Rows target) {
        for (int first = 0; first < rows; first += BLOCK) {
            int from = first;
            int count = Math.min(BLOCK, rows - first);
            tasks.add(() -> {
                float[] block = new float[count * columns];
                float[] part = new float[count];
                for (int j = 0; j < columns; j++) {
                    store.readFloats(name, (long) j * rows + from, part, 0, count);
                    for (int i = 0; i < count; i++) {
                        block[i * columns + j] = part[i];
                    }
                }
                for (int i = 0; i < count; i++) {
                    target.write(from + i, block, i * columns);
                }
            });
        }
    }
}
