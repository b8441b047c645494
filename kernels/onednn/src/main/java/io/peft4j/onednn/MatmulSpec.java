package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_RUNTIME_DIM_VAL;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_linear;

import java.util.Optional;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = alpha * a b (+ c)}: a [m, k], b [k, n], c [m, n], any of them a strided view. Arguments of the call: a, b,
 * c.
 *
 * @param a type and strides of a
 * @param b type and strides of b
 * @param c type and strides of c; its columns are contiguous
 * @param accumulate whether c is added to
 */
record MatmulSpec(Operand a, Operand b, Operand c, int m, int k, int n, float alpha, boolean accumulate)
        implements
            PrimitiveSpec {
    /**
     * Type and strides of an operand, in elements.
     *
     * @param row from row to row
     * @param column from column to column
     */
    record Operand(DataType type, int row, int column) {
        /** A matrix whose rows are contiguous. */
        static Operand rows(DataType type, int row) {
            return new Operand(type, row, 1);
        }

        /** The transpose of a matrix whose rows are contiguous. */
        static Operand transposed(DataType type, int row) {
            return new Operand(type, 1, row);
        }

        private memory.desc layout(long rows, long columns) {
            return PrimitiveSpec.desc(type, new long[] {rows, columns}, new long[] {row, column});
        }
    }

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        matmul.primitive_desc description = describe(lane, m);
        return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description), arguments());
    }

    private matmul.primitive_desc describe(ThreadContext lane, long rows) {
        post_ops operations = new post_ops();
        if (alpha != 1f) {
            operations.append_eltwise(dnnl_eltwise_linear, alpha, 0f);
        }
        if (accumulate) {
            operations.append_sum();
        }
        primitive_attr attributes = PrimitiveSpec.attributes();
        attributes.set_post_ops(operations);
        return new matmul.primitive_desc(lane.engine(), a.layout(rows, k), b.layout(k, n), c.layout(rows, n),
                attributes, true);
    }

    private Argument[] arguments() {
        return new Argument[] {new Argument(DNNL_ARG_SRC, a.layout(m, k)),
            new Argument(DNNL_ARG_WEIGHTS, b.layout(k, n)), new Argument(DNNL_ARG_DST, c.layout(m, n))};
    }

    /**
     * The same single product compiled for any number of rows. Slightly slower than one compiled for its number, and
     * worth it: each new number of rows would cost a millisecond of compiling.
     */
    record AnyRows(MatmulSpec shape) implements PrimitiveSpec {
        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            Optional<Shared> shared = lane.shared(new Key(shape.withRows(0)), AnyRows::compile);
            return shared.map(
                    s -> PrimitiveSpec.assemble(lane, s.pad(), s.primitive(), false, shape.arguments()));
        }

        private static Optional<Shared> compile(ThreadContext lane, Key key) {
            matmul.primitive_desc description = key.shape().describe(lane, DNNL_RUNTIME_DIM_VAL);
            try {
                return PrimitiveSpec.usable(lane, new AnyRows(key.shape()), description) && !isWrong(description)
                        ? Optional.of(new Shared(description.scratchpad_desc(), new matmul(description)))
                        : Optional.empty();
            } finally {
                description.deallocate();
            }
        }
    }

    /**
     * With AMX, oneDNN 3.11 gives wrong sums for rows near the end where it learns their number when it runs; the
     * primitives for a given number of rows are right.
     */
    private static boolean isWrong(matmul.primitive_desc anyRows) {
        return anyRows.impl_info_str().getString().contains("amx");
    }

    private MatmulSpec withRows(int rows) {
        return new MatmulSpec(a, b, c, rows, k, n, alpha, accumulate);
    }

    /** What is compiled once for all numbers of rows. */
    record Key(MatmulSpec shape) {
    }

    /** A primitive that several calls run. */
    record Shared(memory.desc pad, matmul primitive) {
    }
}
