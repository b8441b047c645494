package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen matrix of FLOAT or BFLOAT16 values.
 *
 * @param values c order, {@code [rows, columns]}
 * @param blocks the blocks that FLOAT values were decoded from, where they are still there: the same numbers in less
 *     memory, which products of a few rows read faster
 */
@Internal(shared = true)
public record DenseWeight(INDArray values, Optional<BlockWeight> blocks) implements FrozenWeight {
    /**
     * Takes over {@code values}; closing the weight closes them.
     *
     * @throws IllegalArgumentException when the array is not a c-order matrix of FLOAT or BFLOAT16
     */
    public DenseWeight {
        Objects.requireNonNull(values, "values");
        Objects.requireNonNull(blocks, "blocks");
        DataType type = values.dataType();
        if (values.rank() != 2 || values.ordering() != 'c' || type != DataType.FLOAT && type != DataType.BFLOAT16) {
            throw new IllegalArgumentException("a dense weight is a c-order matrix of FLOAT or BFLOAT16, got "
                    + values.shapeInfoToString());
        }
        if (blocks.isPresent() && (type != DataType.FLOAT || blocks.get().rows() != Arrays.rows(values)
                || blocks.get().columns() != Arrays.columns(values))) {
            throw new IllegalArgumentException(blocks.get() + " are not the blocks of " + type + " values "
                    + values.shapeInfoToString());
        }
    }

    /** Values that were not decoded from blocks. */
    public DenseWeight(INDArray values) {
        this(values, Optional.empty());
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
