package io.peft4j.onednn;

import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A copy of [matrices, rows, columns] from one strided view to another, with conversion. Arguments of the call: from,
 * to. Columns are contiguous on both sides.
 */
record CopySpec(DataType from, DataType to, int matrices, int rows, int columns, int fromMatrix, int fromRow,
        int toMatrix, int toRow) implements PrimitiveSpec {
    /** A conversion of a vector. */
    static CopySpec convert(DataType from, DataType to, int length) {
        return new CopySpec(from, to, 1, 1, length, length, length, length, length);
    }

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc source = layout(from, fromMatrix, fromRow);
        memory.desc target = layout(to, toMatrix, toRow);
        return PrimitiveSpec.reorder(lane, this, source, target, PrimitiveSpec.attributes());
    }

    private memory.desc layout(DataType type, int matrix, int row) {
        if (matrices == 1 && rows == 1) {
            return PrimitiveSpec.vector(type, columns);
        }
        return matrices == 1 ? PrimitiveSpec.desc(type, new long[] {rows, columns}, new long[] {row, 1})
                : PrimitiveSpec.desc(type, new long[] {matrices, rows, columns}, new long[] {matrix, row, 1});
    }

    /** {@code y = x^T (+ y)}: x [rows, columns], FLOAT, both without gaps. Arguments of the call: x, y. */
    record Transposed(int rows, int columns, boolean accumulate) implements PrimitiveSpec {
        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            memory.desc x = PrimitiveSpec.matrix(DataType.FLOAT, rows, columns);
            memory.desc y = PrimitiveSpec.desc(DataType.FLOAT, new long[] {rows, columns}, new long[] {1, rows});
            return PrimitiveSpec.reorder(lane, this, x, y, PrimitiveSpec.attributes(accumulate));
        }
    }
}
