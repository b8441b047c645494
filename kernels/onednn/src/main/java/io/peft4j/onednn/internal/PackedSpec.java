package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.Optional;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = a b (+ c)} with a [m, k], c [m, n] and b [k, n] BFLOAT16 in the layout that oneDNN likes best, which
 * depends on the type of a and not on m. With a FLOAT, b is widened on its way into the registers; with both BFLOAT16
 * they are multiplied as they are. Either way no product is rounded, and sums are FLOAT. Arguments of the call: a, b,
 * c.
 *
 * @param a type of a; where it is FLOAT, c is too
 * @param c type of c
 * @param aRow elements from row to row of a
 * @param cRow elements from row to row of c
 * @param accumulate whether c is added to
 */
record PackedSpec(DataType a, DataType c, int m, int k, int n, int aRow, int cRow, boolean accumulate)
        implements
            PrimitiveSpec {
    /** The largest k for which oneDNN 3.11 multiplies FLOAT by BFLOAT16; above it computes something else. */
    private static final int MOST_WIDENED = 512;
    /** Rows for which the layout is chosen. */
    private static final int TYPICAL_ROWS = 32;

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        return layout(lane, a, k, n).flatMap(b -> build(lane, b));
    }

    /** The largest k for which results are right where a has the given type. */
    static int mostReduced(DataType a) {
        return a == DataType.FLOAT ? MOST_WIDENED : Integer.MAX_VALUE;
    }

    private Optional<CompiledCall> build(ThreadContext lane, memory.desc b) {
        primitive_attr attributes = PrimitiveSpec.attributes();
        if (accumulate) {
            post_ops operations = new post_ops();
            operations.append_sum();
            attributes.set_post_ops(operations);
        }
        memory.desc source = PrimitiveSpec.desc(a, new long[] {m, k}, new long[] {aRow, 1});
        memory.desc target = PrimitiveSpec.desc(c, new long[] {m, n}, new long[] {cRow, 1});
        matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(), source, b, target, attributes,
                true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description),
                new Argument(DNNL_ARG_SRC, source),
                new Argument(DNNL_ARG_WEIGHTS, b), new Argument(DNNL_ARG_DST, target));
    }

    /** The bytes of b; there are such products. */
    static long bytes(ThreadContext lane, DataType a, int k, int n) {
        return layout(lane, a, k, n).orElseThrow().get_size();
    }

    /** The layout of b, or empty where oneDNN has no fast code for it. */
    private static Optional<memory.desc> layout(ThreadContext lane, DataType a, int k, int n) {
        matmul.primitive_desc typical = new matmul.primitive_desc(lane.engine(),
                PrimitiveSpec.matrix(a, TYPICAL_ROWS, k),
                new memory.desc(new long[] {k, n}, memory.data_type.bf16, memory.format_tag.any),
                PrimitiveSpec.matrix(DataType.FLOAT, TYPICAL_ROWS, n), PrimitiveSpec.attributes(), true);
        try {
            PrimitiveSpec spec = new PackedSpec(a, DataType.FLOAT, TYPICAL_ROWS, k, n, k, n, false);
            return PrimitiveSpec.usable(lane, spec, typical) ? Optional.of(typical.weights_desc()) : Optional.empty();
        } finally {
            typical.deallocate();
        }
    }

    /**
     * Brings rows of a weight [n, k], BFLOAT16, into the layout of b. Arguments: from, to.
     *
     * @param a the type of a
     * @param row elements from row to row of the weight
     */
    record Packing(DataType a, int k, int n, int row) implements PrimitiveSpec {
        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            return layout(lane, a, k, n).flatMap(to -> build(lane, to));
        }

        private Optional<CompiledCall> build(ThreadContext lane, memory.desc to) {
            memory.desc from = PrimitiveSpec.desc(DataType.BFLOAT16, new long[] {k, n}, new long[] {1, row});
            reorder.primitive_desc description = new reorder.primitive_desc(lane.engine(), from, lane.engine(), to,
                    PrimitiveSpec.attributes(), true);
            return PrimitiveSpec.assemble(lane, this, description, () -> new reorder(description),
                    new Argument(DNNL_ARG_FROM, from), new Argument(DNNL_ARG_TO, to));
        }
    }
}
