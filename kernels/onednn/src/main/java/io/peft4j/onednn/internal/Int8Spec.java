package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.Optional;
import org.bytedeco.dnnl.global.dnnl.fpmath_mode;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = a b (+ c)} with a [m, k] of floats and b [k, n] of signed bytes, which oneDNN widens to the type of a on
 * their way into the registers. Arguments of the call: a, b, c, and the scales of b where there are some.
 *
 * <p>A scale for each column of b is free. A scale for each row, the reduced dimension, is not: oneDNN has only
 * reference code for it, or crashes; so it is multiplied into a before. There is none for any number of rows either, so
 * each is compiled for itself.
 *
 * @param type type of a: BFLOAT16, or FLOAT with c FLOAT
 * @param aRow elements from row to row of a
 * @param transposed whether b is the transpose of the stored bytes
 * @param bRow bytes from one stored row to the next
 * @param result type of c
 * @param cRow elements from row to row of c
 * @param scaled whether each column of b has a scale
 * @param accumulate whether c is added to
 */
record Int8Spec(DataType type, int aRow, boolean transposed, int bRow, DataType result, int cRow, int m, int k, int n,
        boolean scaled, boolean accumulate) implements PrimitiveSpec {
    private static final int EACH_COLUMN = 1 << 1;

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        primitive_attr attributes = PrimitiveSpec.attributes();
        // Without this the bytes would make it a product of integers.
        attributes.set_fpmath_mode(type == DataType.BFLOAT16 ? fpmath_mode.bf16 : fpmath_mode.strict, true);
        if (scaled) {
            attributes.set_scales_mask(DNNL_ARG_WEIGHTS, EACH_COLUMN);
        }
        if (accumulate) {
            post_ops operations = new post_ops();
            operations.append_sum();
            attributes.set_post_ops(operations);
        }
        memory.desc a = PrimitiveSpec.desc(type, new long[] {m, k}, new long[] {aRow, 1});
        memory.desc b = new memory.desc(new long[] {k, n}, memory.data_type.s8,
                transposed ? new long[] {1, bRow} : new long[] {bRow, 1});
        memory.desc c = PrimitiveSpec.desc(result, new long[] {m, n}, new long[] {cRow, 1});
        matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(), a, b, c, attributes, true);
        Argument[] arguments = new Argument[scaled ? 4 : 3];
        arguments[0] = new Argument(DNNL_ARG_SRC, a);
        arguments[1] = new Argument(DNNL_ARG_WEIGHTS, b);
        arguments[2] = new Argument(DNNL_ARG_DST, c);
        if (scaled) {
            arguments[3] = new Argument(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                    PrimitiveSpec.vector(DataType.FLOAT, n));
        }
        return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description), arguments);
    }
}
