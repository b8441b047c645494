package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations for any implementation of {@link Kernels}: tiles are copied to the heap, computed and copied back. */
@Internal(shared = true)
public class ActivationLoops implements ActivationKernels {
    private final Workers<?> workers;

    /** Loops on the given threads. */
    public ActivationLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public void activate(Activation f, INDArray x, INDArray y) {
        Elements.compute(workers, y, false,
                (first, count, lane) -> lane.loops().activate(f, lane.tile(0), lane.tile(0), count), x);
    }

    @Override
    public void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
        Elements.compute(workers, dx, accumulate, (first, count, lane) -> {
            float[] u = lane.tile(1);
            float[] slopes = lane.tile(2);
            lane.loops().slopes(f, u, u, slopes, count);
            RowMath.multiply(lane.tile(0), slopes, count);
        }, dy, x);
    }

    @Override
    public void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
        Elements.compute(workers, y, false, (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] g = lane.tile(1);
            if (f == Activation.SILU) {
                lane.loops().siluMultiply(g, u, u, 0, count);
            } else {
                lane.loops().activate(f, g, g, count);
                RowMath.multiply(u, g, count);
            }
        }, up, gate);
    }

    @Override
    public void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        gateBackward(dy, gate, up, dUp, dGate, (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            float[] d = lane.tile(2);
            if (f == Activation.SILU) {
                lane.loops().siluMultiplyBackward(d, g, u, u, g, 0, count);
            } else {
                float[] slopes = lane.tile(3);
                lane.loops().slopes(f, g, g, slopes, count);
                gradients(d, slopes, u, g, count);
            }
        });
    }

    /** Brings gate, up and dy into slots 0 to 2 and writes what the task leaves in the first two of them. */
    private void gateBackward(INDArray dy, INDArray gate, INDArray up, INDArray result0, INDArray result1,
            Elements.TileTask task) {
        Elements second = Elements.of(result1);
        Elements.compute(workers, result0, false, (first, count, lane) -> {
            task.run(first, count, lane);
            second.write(first, lane.tile(1), count, lane);
        }, gate, up, dy);
    }

    /** Leaves dGate in u and dUp in g, which holds the activated gate. */
    private static void gradients(float[] d, float[] slopes, float[] u, float[] g, int count) {
        for (int i = 0; i < count; i++) {
            u[i] = d[i] * u[i] * slopes[i];
            g[i] = d[i] * g[i];
        }
    }

    @Override
    public void clampedGate(INDArray gate, INDArray up, float alpha, float limit, INDArray y) {
        Elements.compute(workers, y, false, (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] g = lane.tile(1);
            float[] s = lane.tile(2);
            clamp(g, u, s, alpha, limit, count);
            lane.loops().activate(Activation.SIGMOID, s, s, count);
            for (int i = 0; i < count; i++) {
                u[i] = g[i] * s[i] * (u[i] + 1);
            }
        }, up, gate);
    }

    private static void clamp(float[] g, float[] u, float[] s, float alpha, float limit, int count) {
        for (int i = 0; i < count; i++) {
            g[i] = Math.min(g[i], limit);
            u[i] = Math.max(-limit, Math.min(limit, u[i]));
            s[i] = alpha * g[i];
        }
    }

    @Override
    public void clampedGateBackward(INDArray dy, INDArray gate, INDArray up, float alpha, float limit,
            INDArray dGate, INDArray dUp) {
        gateBackward(dy, gate, up, dGate, dUp, (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] s = lane.tile(3);
            for (int i = 0; i < count; i++) {
                s[i] = alpha * Math.min(g[i], limit);
            }
            lane.loops().activate(Activation.SIGMOID, s, s, count);
            clampedGradients(lane.tile(2), s, lane.tile(1), g, alpha, limit, count);
        });
    }

    /** Leaves dGate in g and dUp in u. */
    private static void clampedGradients(float[] d, float[] s, float[] u, float[] g, float alpha, float limit,
            int count) {
        for (int i = 0; i < count; i++) {
            float gate = Math.min(g[i], limit);
            float up = Math.max(-limit, Math.min(limit, u[i]));
            float dUp = up == u[i] ? d[i] * gate * s[i] : 0;
            float dGate = gate == g[i] ? d[i] * (up + 1) * s[i] * (1 + alpha * gate * (1 - s[i])) : 0;
            u[i] = dUp;
            g[i] = dGate;
        }
    }

    @Override
    public void softCap(INDArray x, float cap, INDArray y) {
        Elements.compute(workers, y, false, (first, count, lane) -> {
            float[] u = lane.tile(0);
            RowMath.scale(u, 1 / cap, 0, count);
            lane.loops().activate(Activation.TANH, u, u, count);
            RowMath.scale(u, cap, 0, count);
        }, x);
    }

    @Override
    public void softCapBackward(INDArray dy, INDArray y, float cap, INDArray dx) {
        float factor = 1 / (cap * cap);
        Elements.compute(workers, dx, false, (first, count, lane) -> {
            float[] d = lane.tile(0);
            float[] u = lane.tile(1);
            for (int i = 0; i < count; i++) {
                d[i] *= 1 - u[i] * u[i] * factor;
            }
        }, dy, y);
    }
}
