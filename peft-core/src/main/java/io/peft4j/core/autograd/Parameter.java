package io.peft4j.core.autograd;

import io.peft4j.core.array.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A trainable array with its gradient, both FLOAT whatever the type of the base model. Owns native memory.
 *
 * <p>The gradient is summed into by every backward pass until {@link #clearGradient()}.
 */
public final class Parameter implements AutoCloseable {
    private final String name;
    private final INDArray value;
    private INDArray gradient;

    /**
     * Takes over {@code value}.
     *
     * @param name the name in the adapter's file, for messages
     * @param value c order, FLOAT
     */
    public Parameter(String name, INDArray value) {
        this.name = Objects.requireNonNull(name, "name");
        this.value = Objects.requireNonNull(value, "value");
        if (value.dataType() != DataType.FLOAT || value.ordering() != 'c') {
            throw new IllegalArgumentException("parameter " + name + " must be a c-order FLOAT array, got "
                    + value.shapeInfoToString());
        }
    }

    /** The name in the adapter's file. */
    public String name() {
        return name;
    }

    /** The value; the optimizer changes it in place. */
    public INDArray value() {
        return value;
    }

    /** The sum of gradients since the last clear; made at the first use, so that inference holds none. */
    public INDArray gradient() {
        if (gradient == null) {
            gradient = Arrays.zeros(DataType.FLOAT, value.shape());
        }
        return gradient;
    }

    /** Whether a backward pass has made a gradient array. */
    public boolean hasGradient() {
        return gradient != null;
    }

    /** Sets the gradient to zero. */
    public void clearGradient() {
        if (gradient != null) {
            Arrays.clear(gradient);
        }
    }

    /** The number of elements. */
    public long length() {
        return value.length();
    }

    @Override
    public void close() {
        value.close();
        if (gradient != null) {
            gradient.close();
            gradient = null;
        }
    }

    @Override
    public String toString() {
        return name + " " + java.util.Arrays.toString(value.shape());
    }
}
