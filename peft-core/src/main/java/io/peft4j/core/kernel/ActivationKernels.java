package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations and gates, over arrays of equal length: a group of {@link Kernels}. */
@Internal
public interface ActivationKernels {
    /** {@code y = f(x)}; y may be x. */
    void activate(Activation f, INDArray x, INDArray y);

    /** Gradient of {@link #activate}: {@code dx = dy * f'(x)}. */
    void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate);

    /**
     * A gated linear unit (<a href="https://arxiv.org/abs/2002.05202">2002.05202</a>): {@code y = f(gate) * up}; with
     * {@link Activation#SILU} it is SwiGLU, with a GELU it is GeGLU.
     */
    void gated(Activation f, INDArray gate, INDArray up, INDArray y);

    /** Gradient of {@link #gated}; overwrites dGate and dUp, which may be gate and up themselves. */
    void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp);

    /**
     * The gate of gpt-oss: with {@code g = min(gate, limit)} and {@code u} = up brought between {@code -limit} and
     * {@code limit}, {@code y = g * sigmoid(alpha * g) * (u + 1)}.
     */
    void clampedGate(INDArray gate, INDArray up, float alpha, float limit, INDArray y);

    /**
     * Gradient of {@link #clampedGate}, 0 where a value was beyond its limit; overwrites dGate and dUp, which may be
     * gate and up themselves.
     */
    void clampedGateBackward(INDArray dy, INDArray gate, INDArray up, float alpha, float limit, INDArray dGate,
            INDArray dUp);

    /** {@code y = cap * tanh(x / cap)}, as Gemma 2 bounds logits; y may be x. */
    void softCap(INDArray x, float cap, INDArray y);

    /** Gradient of {@link #softCap} from its result: {@code dx = dy * (1 - (y / cap)^2)}; dx may be dy. */
    void softCapBackward(INDArray dy, INDArray y, float cap, INDArray dx);
}
