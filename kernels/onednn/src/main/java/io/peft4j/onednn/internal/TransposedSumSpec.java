package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code y += x^T}: x dense [columns, rows], y dense [rows, columns], FLOAT. Arguments of the call: x, y.
 *
 * @param rows of y
 * @param columns of y
 */
record TransposedSumSpec(int rows, int columns) implements PrimitiveSpec {
    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc transposed = PrimitiveSpec.desc(DataType.FLOAT, new long[] {rows, columns}, new long[] {1, rows});
        memory.desc sum = PrimitiveSpec.matrix(DataType.FLOAT, rows, columns);
        post_ops operations = new post_ops();
        operations.append_sum();
        primitive_attr attributes = PrimitiveSpec.attributes();
        attributes.set_post_ops(operations);
        reorder.primitive_desc description = new reorder.primitive_desc(lane.engine(), transposed, lane.engine(), sum,
                attributes, true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new reorder(description),
                new Argument(DNNL_ARG_FROM, transposed), new Argument(DNNL_ARG_TO, sum));
    }
}
