package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_MEAN;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_VARIANCE;
import static org.bytedeco.dnnl.global.dnnl.dnnl_backward;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reduction_max;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reduction_sum;
import static org.bytedeco.dnnl.global.dnnl.dnnl_rms_norm;
import static org.bytedeco.dnnl.global.dnnl.dnnl_softmax_accurate;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_scale;

import java.util.Optional;
import org.bytedeco.dnnl.layer_normalization_backward;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reduction;
import org.bytedeco.dnnl.softmax_backward;
import org.bytedeco.dnnl.softmax_forward;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * An operation along the rows of a dense matrix.
 *
 * @param from type of the first argument
 * @param to type of the result
 */
record RowSpec(Kind kind, DataType from, DataType to, int rows, int columns, float epsilon) implements PrimitiveSpec {
    enum Kind {
        /** x, y. */
        SOFTMAX,
        /** y = softmax(x), dy, dx (which may be dy); all of type {@code from}. */
        SOFTMAX_BACKWARD,
        /** x, largest element of each row [rows, 1]. */
        MAX,
        /** x, sum of each row [rows, 1]. */
        SUM,
        /** x, weight [columns] FLOAT, y, mean [rows] FLOAT (unused), mean of squares [rows] FLOAT. */
        RMS_NORM,
        /**
         * Layer norm's gradient: x, dy, weight, mean, variance, dx, dw: weight [columns], mean and variance [rows]
         * FLOAT, dw [columns] FLOAT.
         */
        LAYER_NORM_BACKWARD
    }

    static RowSpec of(Kind kind, DataType from, DataType to, int rows, int columns) {
        return new RowSpec(kind, from, to, rows, columns, 0f);
    }

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        return switch (kind) {
            case SOFTMAX, SOFTMAX_BACKWARD -> softmax(lane);
            case MAX, SUM -> reduce(lane);
            case RMS_NORM, LAYER_NORM_BACKWARD -> norm(lane);
        };
    }

    private Optional<CompiledCall> softmax(ThreadContext lane) {
        memory.desc x = PrimitiveSpec.matrix(from, rows, columns);
        memory.desc y = PrimitiveSpec.matrix(to, rows, columns);
        softmax_forward.primitive_desc forward = new softmax_forward.primitive_desc(lane.engine(),
                dnnl_forward_training, dnnl_softmax_accurate, x, y, 1, PrimitiveSpec.attributes(), true);
        if (kind == Kind.SOFTMAX) {
            return PrimitiveSpec.assemble(lane, this, forward, () -> new softmax_forward(forward),
                    new Argument(DNNL_ARG_SRC, x),
                    new Argument(DNNL_ARG_DST, y));
        }
        if (!PrimitiveSpec.usable(lane, this, forward)) {
            return Optional.empty();
        }
        softmax_backward.primitive_desc backward = new softmax_backward.primitive_desc(lane.engine(),
                dnnl_softmax_accurate, x, x, y, 1, forward, PrimitiveSpec.attributes(), true);
        return PrimitiveSpec.assemble(lane, this, backward, () -> new softmax_backward(backward),
                new Argument(DNNL_ARG_DST, y),
                new Argument(DNNL_ARG_DIFF_DST, x), new Argument(DNNL_ARG_DIFF_SRC, x));
    }

    private Optional<CompiledCall> reduce(ThreadContext lane) {
        memory.desc x = PrimitiveSpec.matrix(from, rows, columns);
        memory.desc y = PrimitiveSpec.matrix(to, rows, 1);
        int algorithm = kind == Kind.MAX ? dnnl_reduction_max : dnnl_reduction_sum;
        reduction.primitive_desc description = new reduction.primitive_desc(lane.engine(), algorithm, x, y, 0f, 0f,
                PrimitiveSpec.attributes(), true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new reduction(description),
                new Argument(DNNL_ARG_SRC, x),
                new Argument(DNNL_ARG_DST, y));
    }

    private Optional<CompiledCall> norm(ThreadContext lane) {
        memory.desc x = PrimitiveSpec.matrix(from, rows, columns);
        memory.desc y = PrimitiveSpec.matrix(to, rows, columns);
        memory.desc weight = PrimitiveSpec.vector(DataType.FLOAT, columns);
        boolean isForward = kind == Kind.RMS_NORM;
        layer_normalization_forward.primitive_desc forward = new layer_normalization_forward.primitive_desc(
                lane.engine(),
                dnnl_forward_training, x, isForward ? y : x, epsilon,
                isForward ? dnnl_use_scale | dnnl_rms_norm : dnnl_use_scale, PrimitiveSpec.attributes(), true);
        if (!PrimitiveSpec.usable(lane, this, forward)) {
            return Optional.empty();
        }
        Argument mean = new Argument(DNNL_ARG_MEAN, PrimitiveSpec.vector(DataType.FLOAT, rows));
        Argument variance = new Argument(DNNL_ARG_VARIANCE, PrimitiveSpec.vector(DataType.FLOAT, rows));
        Argument scale = new Argument(DNNL_ARG_SCALE, weight);
        if (isForward) {
            return PrimitiveSpec.assemble(lane, this, forward, () -> new layer_normalization_forward(forward),
                    new Argument(DNNL_ARG_SRC, x), scale, new Argument(DNNL_ARG_DST, y), mean, variance);
        }
        layer_normalization_backward.primitive_desc backward = new layer_normalization_backward.primitive_desc(
                lane.engine(), dnnl_backward, y, x, x, epsilon, dnnl_use_scale, forward, PrimitiveSpec.attributes(),
                true);
        return PrimitiveSpec.assemble(lane, this, backward, () -> new layer_normalization_backward(backward),
                new Argument(DNNL_ARG_SRC, x), new Argument(DNNL_ARG_DIFF_DST, x), scale, mean, variance,
                new Argument(DNNL_ARG_DIFF_SRC, y), new Argument(DNNL_ARG_DIFF_SCALE, weight));
    }
}
