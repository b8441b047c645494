package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer with a frozen weight of its own, a matrix or a vector, and maybe a bias. In a checkpoint they are called
 * {@code weight} and {@code bias} below the layer's place. Adapters merge into copies of it, and train copies of it.
 */
public interface WeightedLayer extends Layer {
    /** The weight, where it is a matrix [rows, columns]. */
    @Internal
    default Optional<FrozenWeight> matrix() {
        return Optional.empty();
    }

    /** The weight, FLOAT, where it is a vector [size]. */
    default Optional<INDArray> vector() {
        return Optional.empty();
    }

    /** The dimensions of the weight: [rows, columns] or [size]. */
    default long[] weightShape() {
        return matrix().map(weight -> new long[] {weight.rows(), weight.columns()})
                .orElseGet(() -> vector().orElseThrow().shape());
    }

    /** Reads a row of the weight; a vector is one row. */
    default void readRow(int row, float[] target, int offset) {
        matrix().ifPresentOrElse(weight -> weight.readRow(row, target, offset), () -> {
            INDArray weight = vector().orElseThrow();
            Arrays.read(weight, 0, target, offset, Math.toIntExact(weight.length()));
        });
    }

    /** The bias, FLOAT, if it has one. */
    default Optional<INDArray> bias() {
        return Optional.empty();
    }

    /** Whether checkpoints hold the transpose of the matrix: [in, out] for a linear layer, as GPT-2's do. */
    default boolean isStoredTransposed() {
        return false;
    }

    /**
     * Whether Hugging Face Transformers holds the weight as a parameter of the module above and not as a module of its
     * own, as it holds experts: then {@code target_parameters} name it, and no {@code target_modules}.
     */
    default boolean isParameter() {
        return false;
    }

    /** A FLOAT copy of the weight, which is the caller's. */
    default INDArray copyOfWeight() {
        long[] shape = weightShape();
        INDArray copy = Arrays.zeros(DataType.FLOAT, shape);
        float[] row = new float[Math.toIntExact(shape[shape.length - 1])];
        for (int i = 0; i < copy.length() / row.length; i++) {
            readRow(i, row, 0);
            Arrays.write(copy, (long) i * row.length, row, 0, row.length);
        }
        return copy;
    }

    /**
     * The same layer with other values, which are not copied.
     *
     * @param weight FLOAT, of the shape of the layer's own
     * @param bias FLOAT, where the layer has one
     */
    WeightedLayer with(INDArray weight, Optional<INDArray> bias);

    /**
     * What the layer computes with other values on a tape, for instance trained ones.
     *
     * @param weight of the shape of the layer's own
     * @param bias where the layer has one
     */
    Variable forward(ForwardContext context, Variable x, Variable weight, Optional<Variable> bias);
}
