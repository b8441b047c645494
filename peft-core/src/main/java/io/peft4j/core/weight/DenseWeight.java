package io.peft4j.core.weight;

import io.peft4j.core.array.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen matrix of FLOAT or BFLOAT16 values.
 *
 * @param values c order, {@code [rows, columns]}
 */
public record DenseWeight(INDArray values) implements FrozenWeight {
    /**
     * Takes over {@code values}; closing the weight closes them.
     *
     * @throws IllegalArgumentException when the array is not a c-order matrix of FLOAT or BFLOAT16
     */
    public DenseWeight {
        Objects.requireNonNull(values, "values");
        DataType type = values.dataType();
        if (values.rank() != 2 || values.ordering() != 'c' || type != DataType.FLOAT && type != DataType.BFLOAT16) {
            throw new IllegalArgumentException("a dense weight is a c-order matrix of FLOAT or BFLOAT16, got "
                    + values.shapeInfoToString());
        }
    }

    @Override
    public int rows() {
        return Arrays.rows(values);
    }

    @Override
    public int columns() {
        return Arrays.columns(values);
    }

    @Override
    public boolean isQuantized() {
        return false;
    }

    @Override
    public String typeName() {
        return values.dataType().name();
    }

    @Override
    public long bytes() {
        return values.length() * Arrays.bytes(values.dataType());
    }

    @Override
    public void readRow(int row, float[] target, int offset) {
        Objects.checkIndex(row, rows());
        Arrays.read(values, (long) row * columns(), target, offset, columns());
    }

    @Override
    public void close() {
        if (!values.wasClosed() && values.closeable()) {
            values.close();
        }
    }

    @Override
    public String toString() {
        return typeName() + " [" + rows() + ", " + columns() + "]";
    }
}
