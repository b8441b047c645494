package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_clip;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_exp;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_erf;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_linear;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_logistic;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_relu;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_swish;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;

import io.peft4j.core.kernel.Activation;
import java.util.Optional;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A function of each element of a vector, or its gradient. Arguments of the call: x, y; for a gradient: x, dy, dx.
 *
 * @param backward whether it is the gradient
 */
record UnarySpec(Function function, boolean backward, DataType type, int length) implements PrimitiveSpec {
    /**
     * A function as oneDNN names it.
     *
     * @param alpha its parameter: the factor of x in a line and in the sigmoid of swish, the lower bound of a clip
     * @param beta the upper bound of a clip
     */
    record Function(int algorithm, float alpha, float beta) {
        static final Function EXP = new Function(dnnl_eltwise_exp, 0f);
        static final Function TANH = new Function(dnnl_eltwise_tanh, 0f);
        /** Beyond it the slope of GELU is 0 or 1 in any type. */
        private static final float FLAT = 1e4f;
        static final Function BOUND = new Function(dnnl_eltwise_clip, -FLAT, FLAT);

        private static final float QUICK_GELU = 1.702f;

        Function(int algorithm, float alpha) {
            this(algorithm, alpha, 0f);
        }

        /** Whether oneDNN's gradient takes the cube of x, and with it is no number where that is infinite. */
        boolean hasBoundedGradient() {
            return algorithm == dnnl_eltwise_gelu_tanh;
        }

        /** {@code alpha * x}. */
        static Function linear(float alpha) {
            return new Function(dnnl_eltwise_linear, alpha);
        }

        /** Whether oneDNN has the function. */
        static boolean has(Activation f) {
            return f != Activation.RELU_SQUARED;
        }

        static Function of(Activation f) {
            return switch (f) {
                case SILU -> new Function(dnnl_eltwise_swish, 1f);
                case QUICK_GELU -> new Function(dnnl_eltwise_swish, QUICK_GELU);
                case GELU -> new Function(dnnl_eltwise_gelu_erf, 0f);
                case GELU_TANH -> new Function(dnnl_eltwise_gelu_tanh, 0f);
                case RELU -> new Function(dnnl_eltwise_relu, 0f);
                case RELU_SQUARED -> throw new IllegalArgumentException("oneDNN has no " + f);
                case TANH -> TANH;
                case SIGMOID -> new Function(dnnl_eltwise_logistic, 0f);
            };
        }
    }

    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        memory.desc x = PrimitiveSpec.vector(type, length);
        primitive_attr attributes = PrimitiveSpec.attributes();
        eltwise_forward.primitive_desc forward = new eltwise_forward.primitive_desc(lane.engine(),
                dnnl_forward_training, function.algorithm(), x, x, function.alpha(), function.beta(), attributes, true);
        if (!backward) {
            return PrimitiveSpec.assemble(lane, this, forward, () -> new eltwise_forward(forward),
                    new Argument(DNNL_ARG_SRC, x),
                    new Argument(DNNL_ARG_DST, x));
        }
        if (!PrimitiveSpec.usable(lane, this, forward)) {
            return Optional.empty();
        }
        eltwise_backward.primitive_desc gradient = new eltwise_backward.primitive_desc(lane.engine(),
                function.algorithm(), x, x, x, function.alpha(), 0f, forward, PrimitiveSpec.attributes(), true);
        return PrimitiveSpec.assemble(lane, this, gradient, () -> new eltwise_backward(gradient),
                new Argument(DNNL_ARG_SRC, x),
                new Argument(DNNL_ARG_DIFF_DST, x), new Argument(DNNL_ARG_DIFF_SRC, x));
    }
}
