package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_MEAN;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_VARIANCE;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_scale;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_shift;

import java.util.Optional;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Layer norm of the rows of a dense matrix; its gradient is a {@link RowSpec}. Arguments of the call: x, weight, bias,
 * y, mean, variance: weight and bias are [columns], mean and variance [rows], FLOAT.
 *
 * @param from type of x
 * @param to type of y
 */
record LayerNormSpec(DataType from, DataType to, int rows, int columns, float epsilon) implements PrimitiveSpec {
    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc x = PrimitiveSpec.matrix(from, rows, columns);
        memory.desc y = PrimitiveSpec.matrix(to, rows, columns);
        memory.desc ofColumns = PrimitiveSpec.vector(DataType.FLOAT, columns);
        memory.desc ofRows = PrimitiveSpec.vector(DataType.FLOAT, rows);
        layer_normalization_forward.primitive_desc description = new layer_normalization_forward.primitive_desc(
                lane.engine(), dnnl_forward_training, x, y, epsilon, dnnl_use_scale | dnnl_use_shift,
                PrimitiveSpec.attributes(), true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new layer_normalization_forward(description),
                new Argument(DNNL_ARG_SRC, x), new Argument(DNNL_ARG_SCALE, ofColumns),
                new Argument(DNNL_ARG_SHIFT, ofColumns), new Argument(DNNL_ARG_DST, y),
                new Argument(DNNL_ARG_MEAN, ofRows), new Argument(DNNL_ARG_VARIANCE, ofRows));
    }
}
