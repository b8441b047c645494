package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The change that a layer of low rank makes to the weight W [out, in] of a linear layer, {@code scaling * B A}, or to
 * the table [V, H] of an embedding, {@code scaling * (B A)^T}. What combines adapters or writes them in other formats
 * works on these and knows no method.
 *
 * @param a A [r, in], or [r, V] for an embedding, as in the adapter's file
 * @param b B [out, r], or [H, r] for an embedding, as in the adapter's file
 * @param scaling the factor
 * @param embedding whether it is the change of an embedding
 */
@Internal(shared = true)
public record LowRankUpdate(AdapterTensor a, AdapterTensor b, double scaling, boolean embedding) {
    /** Refuses factors that do not match. */
    public LowRankUpdate {
        Objects.requireNonNull(a, "a");
        Objects.requireNonNull(b, "b");
        if (a.fileShape().length != 2 || b.fileShape().length != 2 || a.fileShape()[0] != b.fileShape()[1]) {
            throw new IllegalArgumentException("the factors " + a.name() + " and " + b.name()
                    + " do not match");
        }
    }

    /** r. */
    public int rank() {
        return (int) a.fileShape()[0];
    }

    /** The columns of A: the input features of a linear layer, V of an embedding. */
    public int inputs() {
        return (int) a.fileShape()[1];
    }

    /** The rows of B: the output features of a linear layer, H of an embedding. */
    public int outputs() {
        return (int) b.fileShape()[0];
    }

    /** The values of A in c order. */
    public float[] aValues() {
        return values(a);
    }

    /** The values of B in c order. */
    public float[] bValues() {
        return values(b);
    }

    private static float[] values(AdapterTensor tensor) {
        return tensor.isTransposed() ? tensor.inFileOrder()
                : Arrays.toFloats(tensor.parameter().value());
    }

    /** Overwrites A, given as in the file. */
    public void setA(float[] values) {
        set(a, values);
    }

    /** Overwrites B, given as in the file. */
    public void setB(float[] values) {
        set(b, values);
    }

    private static void set(AdapterTensor tensor, float[] values) {
        long[] shape = tensor.fileShape();
        if (values.length != shape[0] * shape[1]) {
            throw new IllegalArgumentException(values.length + " values for " + tensor.name() + " "
                    + java.util.Arrays.toString(shape));
        }
        float[] held = tensor.isTransposed() ? Arrays.transposed(values, (int) shape[0], (int) shape[1]) : values;
        Arrays.write(tensor.parameter().value(), 0, held, 0, held.length);
    }

    /**
     * Sets A and B to values of a lower rank or its own; the rest is zero.
     *
     * @param newA [rank, inputs]
     * @param newB [outputs, rank]
     */
    public void set(double[] newA, double[] newB, int rank) {
        float[] wholeB = new float[outputs() * rank()];
        for (int i = 0; i < newB.length; i++) {
            wholeB[i / rank * rank() + i % rank] = (float) newB[i];
        }
        setA(java.util.Arrays.copyOf(Arrays.floats(newA), rank() * inputs()));
        setB(wholeB);
    }

    /**
     * Sets A and B to the largest singular values of a change of the weight, {@code A = V^T}, {@code B = U diag(s)},
     * for a scaling of 1.
     *
     * @param delta as {@link #delta} gives it
     * @return these values, and what is lost with the others
     */
    @Internal
    public SingularValues setDelta(double[] delta) {
        SingularValues values = SingularValues.of(embedding ? transposed(delta, inputs(), outputs()) : delta, outputs(),
                inputs(), rank());
        double[] left = values.u().clone();
        for (int i = 0; i < left.length; i++) {
            left[i] *= values.s()[i % rank()];
        }
        set(values.vt(), left, rank());
        return values;
    }

    /**
     * The change of the weight {@code scaling * B A} [outputs, inputs], of an embedding's table its transpose, in c
     * order, from sums in double.
     */
    public double[] delta() {
        float[] left = bValues();
        float[] right = aValues();
        int columns = inputs();
        double[] delta = new double[Math.multiplyExact(outputs(), columns)];
        IntStream.range(0, outputs()).parallel().forEach(i -> {
            for (int k = 0; k < rank(); k++) {
                double factor = scaling * left[i * rank() + k];
                for (int j = 0; j < columns; j++) {
                    delta[i * columns + j] += factor * right[k * columns + j];
                }
            }
        });
        return embedding ? transposed(delta, outputs(), columns) : delta;
    }

    private static double[] transposed(double[] matrix, int rows, int columns) {
        double[] result = new double[matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            result[i % columns * rows + i / columns] = matrix[i];
        }
        return result;
    }
}
