package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.Optional;
import org.bytedeco.dnnl.global.dnnl.fpmath_mode;
import org.bytedeco.dnnl.global.dnnl.quantization_mode;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = a (s q)} with a [m, k] and c [m, n] FLOAT, q [k, n] of unsigned 4-bit numbers, two of a row in a byte, the
 * first in its lower half, and a scale s for each {@value #GROUP} rows of a column, [k / {@value #GROUP}, n] FLOAT.
 * Arguments of the call: a, q, c, s.
 */
record FourBitSpec(int m, int k, int n) implements PrimitiveSpec {
    /** Values that share a scale. */
    static final int GROUP = 32;
    private static final int EACH_ROW_AND_COLUMN = 3;

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        primitive_attr attributes = PrimitiveSpec.attributes();
        // Without this the 4-bit numbers would make it a product of integers.
        attributes.set_fpmath_mode(fpmath_mode.strict, true);
        attributes.set_scales(DNNL_ARG_WEIGHTS, EACH_ROW_AND_COLUMN, new long[] {GROUP, 1}, memory.data_type.f32, false,
                quantization_mode.static_sazp);
        memory.desc a = PrimitiveSpec.matrix(DataType.FLOAT, m, k);
        memory.desc q = new memory.desc(new long[] {k, n}, memory.data_type.u4, new long[] {n, 1});
        memory.desc c = PrimitiveSpec.matrix(DataType.FLOAT, m, n);
        matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(), a, q, c, attributes, true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description),
                new Argument(DNNL_ARG_SRC, a),
                new Argument(DNNL_ARG_WEIGHTS, q), new Argument(DNNL_ARG_DST, c),
                new Argument(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                        PrimitiveSpec.matrix(DataType.FLOAT, k / GROUP, n)));
    }
}
