package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_add;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_mul;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_sub;

import java.util.Optional;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code y = a op b (+ y)} over a dense matrix. Arguments of the call: a, b, y.
 *
 * @param a type of a and y: oneDNN's fast implementation wants them equal
 * @param b type of b
 * @param shape what of b is used for an element
 */
record BinarySpec(Operator operator, DataType a, DataType b, Shape shape, int rows, int columns, boolean accumulate)
        implements
            PrimitiveSpec {
    enum Operator {
        /** a + b. */
        ADD,
        /** a - b. */
        SUBTRACT,
        /** a * b. */
        MULTIPLY
    }

    enum Shape {
        /** As a. */
        FULL,
        /** One row [1, columns] for all. */
        ROW,
        /** One element for each row [rows, 1]. */
        COLUMN
    }

    static BinarySpec floats(Operator operator, Shape shape, int rows, int columns) {
        return new BinarySpec(operator, DataType.FLOAT, DataType.FLOAT, shape, rows, columns, false);
    }

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc full = PrimitiveSpec.matrix(a, rows, columns);
        memory.desc second = switch (shape) {
            case FULL -> PrimitiveSpec.matrix(b, rows, columns);
            case ROW -> PrimitiveSpec.matrix(b, 1, columns);
            case COLUMN -> PrimitiveSpec.matrix(b, rows, 1);
        };
        int algorithm = switch (operator) {
            case ADD -> dnnl_binary_add;
            case SUBTRACT -> dnnl_binary_sub;
            case MULTIPLY -> dnnl_binary_mul;
        };
        binary.primitive_desc description = new binary.primitive_desc(lane.engine(), algorithm, full, second, full,
                PrimitiveSpec.attributes(accumulate), true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new binary(description),
                new Argument(DNNL_ARG_SRC_0, full),
                new Argument(DNNL_ARG_SRC_1, second), new Argument(DNNL_ARG_DST, full));
    }
}
