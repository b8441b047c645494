package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_RUNTIME_DIM_VAL;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_add;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_linear;

import java.util.Optional;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = alpha * a b (+ mask) (+ c)}: a [m, k], b [k, n], c [m, n], any of them a strided view; a batch of such
 * products where {@code batch} is more than 0.
 *
 * @param a type and strides of a
 * @param b type and strides of b; the same matrix for all of a batch
 * @param c type and strides of c; its columns are contiguous
 * @param accumulate whether c is added to
 * @param mask whether a FLOAT array [m, n] is added to each product of the batch
 */
record MatmulSpec(Operand a, Operand b, Operand c, int batch, int m, int k, int n, float alpha, boolean accumulate,
        boolean mask) implements Spec {
    /**
     * Type and strides of an operand, in elements.
     *
     * @param matrix from one matrix of a batch to the next
     * @param row from row to row
     * @param column from column to column
     */
    record Operand(DataType type, int matrix, int row, int column) {
        /** A matrix whose rows are contiguous. */
        static Operand rows(DataType type, int row) {
            return new Operand(type, 0, row, 1);
        }

        /** The transpose of a matrix whose rows are contiguous. */
        static Operand transposed(DataType type, int row) {
            return new Operand(type, 0, 1, row);
        }
    }

    /** A single product. */
    static MatmulSpec of(Operand a, Operand b, Operand c, int m, int k, int n, float alpha, boolean accumulate) {
        return new MatmulSpec(a, b, c, 0, m, k, n, alpha, accumulate, false);
    }

    @Override
    public Optional<Call> build(Lane lane) {
        primitive_attr attributes = Spec.attributes();
        memory.desc maskLayout = mask ? layout(new Operand(DataType.FLOAT, m * n, n, 1), 1, m, n) : null;
        attributes.set_post_ops(postOps(maskLayout));
        memory.desc aLayout = layout(a, batch, m, k);
        memory.desc bLayout = layout(b, 1, k, n);
        memory.desc cLayout = layout(c, batch, m, n);
        matmul.primitive_desc description =
                new matmul.primitive_desc(lane.engine(), aLayout, bLayout, cLayout, attributes, true);
        Argument[] arguments = new Argument[mask ? 4 : 3];
        arguments[0] = new Argument(DNNL_ARG_SRC, aLayout);
        arguments[1] = new Argument(DNNL_ARG_WEIGHTS, bLayout);
        arguments[2] = new Argument(DNNL_ARG_DST, cLayout);
        if (mask) {
            int position = alpha == 1f ? 0 : 1;
            arguments[3] = new Argument(DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (position + 1) | DNNL_ARG_SRC_1,
                    maskLayout);
        }
        return Spec.assemble(lane, this, description, () -> new matmul(description), arguments);
    }

    private post_ops postOps(memory.desc maskLayout) {
        post_ops operations = new post_ops();
        if (alpha != 1f) {
            operations.append_eltwise(dnnl_eltwise_linear, alpha, 0f);
        }
        if (mask) {
            operations.append_binary(dnnl_binary_add, maskLayout);
        }
        if (accumulate) {
            operations.append_sum();
        }
        return operations;
    }

    private memory.desc layout(Operand operand, int matrices, long rows, long columns) {
        if (batch == 0) {
            return Spec.desc(operand.type(), new long[] {rows, columns}, new long[] {operand.row(), operand.column()});
        }
        // The stride of a dimension of size 1 is not used, but must not be 0.
        return Spec.desc(operand.type(), new long[] {matrices, rows, columns},
                new long[] {Math.max(1, operand.matrix()), operand.row(), operand.column()});
    }

    /**
     * The same single product compiled for any number of rows. Slightly slower than one compiled for its number, and
     * worth it: each new number of rows would cost a millisecond of compiling.
     */
    record AnyRows(MatmulSpec shape) implements Spec {
        @Override
        public Optional<Call> build(Lane lane) {
            Optional<Shared> shared = lane.shared(new Key(shape.withRows(0)), AnyRows::compile);
            return shared.map(s -> Spec.assemble(lane, s.description(), s.primitive(), false,
                    new Argument(DNNL_ARG_SRC, shape.layout(shape.a, 1, shape.m, shape.k)),
                    new Argument(DNNL_ARG_WEIGHTS, shape.layout(shape.b, 1, shape.k, shape.n)),
                    new Argument(DNNL_ARG_DST, shape.layout(shape.c, 1, shape.m, shape.n))));
        }

        private static Optional<Shared> compile(Lane lane, Key key) {
            MatmulSpec any = key.shape();
            primitive_attr attributes = Spec.attributes();
            attributes.set_post_ops(any.postOps(null));
            matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(),
                    any.layout(any.a, 1, DNNL_RUNTIME_DIM_VAL, any.k), any.layout(any.b, 1, any.k, any.n),
                    any.layout(any.c, 1, DNNL_RUNTIME_DIM_VAL, any.n), attributes, true);
            return Spec.usable(lane, new AnyRows(any), description)
                    ? Optional.of(new Shared(description, new matmul(description))) : Optional.empty();
        }
    }

    private MatmulSpec withRows(int rows) {
        return new MatmulSpec(a, b, c, batch, rows, k, n, alpha, accumulate, mask);
    }

    /** What is compiled once for all numbers of rows. */
    record Key(MatmulSpec shape) {
    }

    /** A primitive that several calls run. */
    record Shared(matmul.primitive_desc description, matmul primitive) {
    }
}
