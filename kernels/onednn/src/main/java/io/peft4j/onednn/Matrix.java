package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.onednn.MatmulSpec.Operand;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A matrix in memory as an operand of a product.
 *
 * @param data the stored matrix's first element
 * @param rows rows of the operand
 * @param columns columns of the operand
 * @param stride elements from one stored row to the next
 * @param transposed whether the operand is the transpose of the stored matrix
 * @param spare stored rows behind the last that may be read, and written in a result, with any contents
 */
record Matrix(Span data, int rows, int columns, int stride, boolean transposed, int spare) {
    /** A matrix behind which nothing may be touched. */
    Matrix(Span data, int rows, int columns, int stride, boolean transposed) {
        this(data, rows, columns, stride, transposed, 0);
    }

    /** The operand that is {@code array} or its transpose. */
    static Matrix of(INDArray array, boolean transposed) {
        int rows = Arrays.rows(array);
        int columns = Arrays.columns(array);
        return new Matrix(Span.of(array), transposed ? columns : rows, transposed ? rows : columns, columns,
                transposed);
    }

    /** A matrix without gaps. */
    static Matrix dense(Span data, int rows, int columns) {
        return new Matrix(data, rows, columns, columns, false);
    }

    /** A matrix without gaps, with more rows behind it. */
    static Matrix dense(Span data, int rows, int columns, int spare) {
        return new Matrix(data, rows, columns, columns, false, spare);
    }

    /** Some rows of one that is not transposed. */
    Matrix rows(int first, int count) {
        return new Matrix(data.from((long) first * stride), count, columns, stride, false,
                rows + spare - first - count);
    }

    Matrix columns(int first, int count) {
        return new Matrix(data.from(transposed ? (long) first * stride : first), rows, count, stride, transposed);
    }

    /** The transpose, of the same memory. */
    Matrix transpose() {
        return new Matrix(data, columns, rows, stride, !transposed, spare);
    }

    DataType type() {
        return data.type();
    }

    long length() {
        return (long) rows * columns;
    }

    /** The layout for a primitive. */
    Operand operand() {
        return transposed ? Operand.transposed(type(), stride) : Operand.rows(type(), stride);
    }

    long address(int row, int column) {
        return data.from(transposed ? (long) column * stride + row : (long) row * stride + column).address();
    }

    /** The matrix with its elements elsewhere, dense. */
    Matrix at(Span elsewhere) {
        return at(elsewhere, 0);
    }

    /** As {@link #at(Span)}, with more stored rows behind it. */
    Matrix at(Span elsewhere, int behind) {
        return new Matrix(elsewhere, rows, columns, transposed ? rows : columns, transposed, behind);
    }

    /** Whether there are no gaps between stored rows. */
    boolean isDense() {
        return stride == (transposed ? rows : columns);
    }
}
