package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_exp;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_linear;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_swish;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;

import java.util.Optional;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A function of each element of a vector. Arguments of the call: x, y; for a gradient: x, dy, dx.
 *
 * @param alpha the factor of {@link Function#LINEAR}
 */
record UnarySpec(Function function, DataType type, int length, float alpha) implements Spec {
    /** The function. */
    enum Function {
        /** Exponential. */
        EXP,
        /** {@code x * sigmoid(x)}. */
        SWISH,
        /** Hyperbolic tangent. */
        TANH,
        /** Gradient of {@link #SWISH}. */
        SWISH_BACKWARD,
        /** {@code alpha * x}. */
        LINEAR
    }

    static UnarySpec of(Function function, DataType type, int length) {
        return new UnarySpec(function, type, length, 1f);
    }

    @Override
    public Optional<Call> build(Lane lane) {
        memory.desc x = Spec.vector(type, length);
        primitive_attr attributes = Spec.attributes();
        int algorithm = switch (function) {
            case EXP -> dnnl_eltwise_exp;
            case SWISH, SWISH_BACKWARD -> dnnl_eltwise_swish;
            case TANH -> dnnl_eltwise_tanh;
            case LINEAR -> dnnl_eltwise_linear;
        };
        eltwise_forward.primitive_desc forward = new eltwise_forward.primitive_desc(lane.engine(),
                dnnl_forward_training, algorithm, x, x, alpha, 0f, attributes, true);
        if (function != Function.SWISH_BACKWARD) {
            return Spec.assemble(lane, this, forward, () -> new eltwise_forward(forward), new Argument(DNNL_ARG_SRC, x),
                    new Argument(DNNL_ARG_DST, x));
        }
        if (!Spec.usable(lane, this, forward)) {
            return Optional.empty();
        }
        eltwise_backward.primitive_desc backward = new eltwise_backward.primitive_desc(lane.engine(), algorithm, x, x,
                x, alpha, 0f, forward, Spec.attributes(), true);
        return Spec.assemble(lane, this, backward, () -> new eltwise_backward(backward), new Argument(DNNL_ARG_SRC, x),
                new Argument(DNNL_ARG_DIFF_DST, x), new Argument(DNNL_ARG_DIFF_SRC, x));
    }
}
