package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The activations of {@link NaiveKernels}. */
public final class NaiveActivations implements ActivationKernels {
    private static final double SQRT_HALF = Math.sqrt(0.5);
    private static final double TANH_FACTOR = Math.sqrt(2 / Math.PI);
    private static final double CUBE = 0.044715;
    private static final double QUICK = 1.702;

    /** f(x). */
    public static double value(Activation f, double x) {
        return switch (f) {
            case SILU -> x * sigmoid(x);
            case GELU -> x * normal(x);
            case GELU_TANH -> x * sigmoid(2 * TANH_FACTOR * (x + CUBE * x * x * x));
            case RELU -> Math.max(x, 0);
            case RELU_SQUARED -> Math.max(x, 0) * Math.max(x, 0);
            case QUICK_GELU -> x * sigmoid(QUICK * x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> sigmoid(x);
        };
    }

    /** f'(x). */
    public static double slope(Activation f, double x) {
        return switch (f) {
            case SILU -> gateSlope(x, x, 1);
            case GELU -> normal(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            case GELU_TANH -> gateSlope(x, 2 * TANH_FACTOR * (x + CUBE * x * x * x),
                    2 * TANH_FACTOR * (1 + 3 * CUBE * x * x));
            case RELU -> x > 0 ? 1 : 0;
            case RELU_SQUARED -> 2 * Math.max(x, 0);
            case QUICK_GELU -> gateSlope(x, QUICK * x, QUICK);
            case TANH -> 1 - Math.tanh(x) * Math.tanh(x);
            case SIGMOID -> sigmoid(x) * sigmoid(-x);
        };
    }

    /** The slope of {@code x * sigmoid(u(x))}, of which du is that of u. */
    private static double gateSlope(double x, double u, double du) {
        double s = sigmoid(u);
        double spread = s * sigmoid(-u);
        return spread == 0 ? s : s + x * spread * du;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /** The probability that a normally distributed number is below x. */
    private static double normal(double x) {
        return 0.5 * erfc(-x * SQRT_HALF);
    }

    /**
     * {@code 1 - erf(x)}: by the power series of erf near 0, by the continued fraction of erfc where x is large, both
     * to the last digits of a double.
     */
    static double erfc(double x) {
        if (x < 0) {
            return 2 - erfc(-x);
        }
        if (x < 2.5) {
            double term = x;
            double sum = x;
            for (int n = 1; Math.abs(term) > 1e-18 * sum; n++) {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return 1 - 2 / Math.sqrt(Math.PI) * sum;
        }
        double fraction = x;
        for (int n = 60; n > 0; n--) {
            fraction = x + n / 2.0 / fraction;
        }
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
    }

    @Override
    public void activate(Activation f, INDArray x, INDArray y) {
        float[] xs = Arrays.toFloats(x);
        NaiveOperations.store(y, i -> value(f, xs[i]), false);
    }

    @Override
    public void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
        float[] dys = Arrays.toFloats(dy);
        float[] xs = Arrays.toFloats(x);
        NaiveOperations.store(dx, i -> dys[i] * slope(f, xs[i]), accumulate);
    }

    @Override
    public void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
        float[] gates = Arrays.toFloats(gate);
        float[] ups = Arrays.toFloats(up);
        NaiveOperations.store(y, i -> value(f, gates[i]) * ups[i], false);
    }

    // dUp = dy * f(gate), dGate = dy * up * f'(gate)
    @Override
    public void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        float[] dys = Arrays.toFloats(dy);
        float[] gates = Arrays.toFloats(gate);
        float[] ups = Arrays.toFloats(up);
        NaiveOperations.store(dUp, i -> dys[i] * value(f, gates[i]), false);
        NaiveOperations.store(dGate, i -> dys[i] * ups[i] * slope(f, gates[i]), false);
    }

    @Override
    public void clampedGate(INDArray gate, INDArray up, float alpha, float limit, INDArray y) {
        float[] gates = Arrays.toFloats(gate);
        float[] ups = Arrays.toFloats(up);
        DoubleUnaryOperator clamp = u -> Math.max(-limit, Math.min(limit, u));
        NaiveOperations.store(y, i -> {
            double g = Math.min(gates[i], limit);
            return g * sigmoid(alpha * g) * (clamp.applyAsDouble(ups[i]) + 1);
        }, false);
    }

    // within the limits, with s = sigmoid(alpha * g): dUp = dy * g * s, dGate = dy * (u + 1) * (s + g * alpha * s')
    @Override
    public void clampedGateBackward(INDArray dy, INDArray gate, INDArray up, float alpha, float limit,
            INDArray dGate, INDArray dUp) {
        float[] dys = Arrays.toFloats(dy);
        float[] gates = Arrays.toFloats(gate);
        float[] ups = Arrays.toFloats(up);
        NaiveOperations.store(dUp, i -> {
            double g = Math.min(gates[i], limit);
            return Math.abs(ups[i]) > limit ? 0 : dys[i] * g * sigmoid(alpha * g);
        }, false);
        NaiveOperations.store(dGate, i -> {
            double u = Math.max(-limit, Math.min(limit, ups[i])) + 1;
            return gates[i] > limit ? 0 : dys[i] * u * gateSlope(gates[i], alpha * gates[i], alpha);
        }, false);
    }

    @Override
    public void softCap(INDArray x, float cap, INDArray y) {
        float[] xs = Arrays.toFloats(x);
        NaiveOperations.store(y, i -> cap * Math.tanh(xs[i] / (double) cap), false);
    }

    @Override
    public void softCapBackward(INDArray dy, INDArray y, float cap, INDArray dx) {
        float[] dys = Arrays.toFloats(dy);
        float[] ys = Arrays.toFloats(y);
        NaiveOperations.store(dx, i -> {
            double share = ys[i] / (double) cap;
            return dys[i] * (1 - share * share);
        }, false);
    }
}
