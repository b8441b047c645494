package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Signed bytes [rows, columns] times a scale for each row, as floats without gaps. Arguments of the call: bytes,
 * floats, scales.
 *
 * @param type type of the floats
 * @param rows number of rows
 * @param columns number of columns
 * @param stride bytes from row to row
 */
record Int8CopySpec(DataType type, int rows, int columns, int stride) implements PrimitiveSpec {
    private static final int EACH_ROW = 1;

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc from = new memory.desc(new long[] {rows, columns}, memory.data_type.s8, new long[] {stride, 1});
        memory.desc to = PrimitiveSpec.matrix(type, rows, columns);
        primitive_attr attributes = PrimitiveSpec.attributes();
        attributes.set_scales_mask(DNNL_ARG_FROM, EACH_ROW);
        reorder.primitive_desc description = new reorder.primitive_desc(lane.engine(), from, lane.engine(), to,
                attributes, true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new reorder(description),
                new Argument(DNNL_ARG_FROM, from),
                new Argument(DNNL_ARG_TO, to), new Argument(DNNL_ARG_ATTR_SCALES | DNNL_ARG_FROM,
                        PrimitiveSpec.vector(DataType.FLOAT, rows)));
    }
}
