package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_mul;

import io.peft4j.onednn.internal.UnarySpec.Function;
import java.util.Optional;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code y = f(x) * b} for vectors of one type in one pass. A function of an element has no fast implementation
 * with another operand; a product has one with a function and a second product after it, so that x is multiplied with
 * a number first, which is 1. Arguments of the call: x, the number (FLOAT), b, y.
 */
record GateSpec(Function function, DataType type, int length) implements PrimitiveSpec {
    /** The argument of the operation that comes second after the primitive's own. */
    private static final int SECOND = 2 * DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | DNNL_ARG_SRC_1;

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc vector = PrimitiveSpec.matrix(type, 1, length);
        memory.desc number = PrimitiveSpec.matrix(DataType.FLOAT, 1, 1);
        post_ops operations = new post_ops();
        operations.append_eltwise(function.algorithm(), function.alpha(), 0f);
        operations.append_binary(dnnl_binary_mul, vector);
        primitive_attr attributes = PrimitiveSpec.attributes();
        attributes.set_post_ops(operations);
        binary.primitive_desc description = new binary.primitive_desc(lane.engine(), dnnl_binary_mul, vector, number,
                vector, attributes, true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new binary(description),
                new Argument(DNNL_ARG_SRC_0, vector), new Argument(DNNL_ARG_SRC_1, number),
                new Argument(SECOND, vector), new Argument(DNNL_ARG_DST, vector));
    }
}
