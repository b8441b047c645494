package io.peft4j.dl4j;

import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A weight that a layer of DeepLearning4J multiplies its input by.
 *
 * @param key the parameter's key in the layer's table, for instance {@code W} or {@code RW}
 * @param inputs how many inputs, or input channels, it has
 * @param outputs how many outputs, or output channels
 * @param kernel the sizes of a convolution's kernel; empty for a matrix
 * @param order how it lies in the parameter
 * @param bias the key of the bias that is added to what it gives, or an empty text
 * @param embedding whether it is looked up by token and not multiplied
 */
record Weight(String key, long inputs, long outputs, List<Long> kernel, Order order, String bias,
        boolean embedding) {
    /** How a weight lies in its parameter. */
    public enum Order {
        /** [inputs, outputs], column by column; more columns may follow (peepholes). */
        COLUMNS,
        /** [outputs, inputs, kernel], row by row. */
        OUTPUTS_FIRST,
        /** [inputs, outputs], row by row. */
        ROWS
    }

    /** Checks the names and copies the list. */
    public Weight {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(bias, "bias");
        kernel = List.copyOf(kernel);
    }

    /** A matrix as most layers have it. */
    static Weight matrix(String key, long inputs, long outputs, String bias) {
        return new Weight(key, inputs, outputs, List.of(), Order.COLUMNS, bias, false);
    }

    /** The same under another key. */
    Weight withKey(String prefix, String name) {
        return new Weight(prefix + name, inputs, outputs, kernel, order, "", embedding);
    }

    /** Positions of a kernel; 1 for a matrix. */
    long positions() {
        return kernel.stream().reduce(1L, Math::multiplyExact);
    }

    /** Rows that the matrix [in, out] has: the inputs, at each position of a kernel. */
    long rows() {
        return inputs * positions();
    }

    /** A shape in a file: dimensions, and those of the kernel, each 1 where {@code whole} is false. */
    long[] fileShape(long first, long second, boolean whole) {
        return LongStream.concat(LongStream.of(first, second), kernel.stream().mapToLong(size -> whole ? size : 1))
                .toArray();
    }

    /** The parameter as a matrix that shares its memory. */
    WeightMatrix in(INDArray parameter) {
        INDArray flat = parameter.reshape(order == Order.COLUMNS ? 'f' : 'c', true, parameter.length());
        INDArray own = flat.get(NDArrayIndex.interval(0, rows() * outputs));
        return switch (order) {
            case COLUMNS, OUTPUTS_FIRST -> new WeightMatrix(own.reshape('f', true, rows(), outputs), false);
            case ROWS -> new WeightMatrix(own.reshape('f', true, outputs, rows()), true);
        };
    }
}
