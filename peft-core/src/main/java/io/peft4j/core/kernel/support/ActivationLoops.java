package io.peft4j.core.kernel.support;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ActivationKernels;
import io.peft4j.core.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations for any implementation of {@link Kernels}: tiles are copied to the heap, computed and copied back. */
public class ActivationLoops implements ActivationKernels {
    private final Workers<?> workers;

    /** Loops on the given threads. */
    public ActivationLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public void activate(Activation f, INDArray x, INDArray y) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            lane.loops().activate(f, u, u, count);
            ys.write(first, u, count, lane);
        });
    }

    @Override
    public void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
        Elements dys = Elements.of(dy);
        Elements xs = Elements.of(x);
        Elements dxs = Elements.of(dx);
        Elements.forTiles(workers, x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] slopes = lane.tile(1);
            float[] d = lane.tile(2);
            xs.read(first, u, count, lane);
            dys.read(first, d, count, lane);
            lane.loops().slopes(f, u, u, slopes, count);
            RowMath.multiply(d, slopes, count);
            dxs.write(first, d, count, accumulate, lane, 3);
        });
    }

    @Override
    public void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, gate.length(), (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            gates.read(first, g, count, lane);
            ups.read(first, u, count, lane);
            if (f == Activation.SILU) {
                lane.loops().siluMultiply(g, u, u, 0, count);
            } else {
                lane.loops().activate(f, g, g, count);
                RowMath.multiply(u, g, count);
            }
            ys.write(first, u, count, lane);
        });
    }

    @Override
    public void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        Elements dys = Elements.of(dy);
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements dGates = Elements.of(dGate);
        Elements dUps = Elements.of(dUp);
        Elements.forTiles(workers, dy.length(), (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            float[] d = lane.tile(2);
            gates.read(first, g, count, lane);
            ups.read(first, u, count, lane);
            dys.read(first, d, count, lane);
            if (f == Activation.SILU) {
                lane.loops().siluMultiplyBackward(d, g, u, u, g, 0, count);
            } else {
                float[] slopes = lane.tile(3);
                lane.loops().slopes(f, g, g, slopes, count);
                gradients(d, slopes, u, g, count);
            }
            dGates.write(first, u, count, lane);
            dUps.write(first, g, count, lane);
        });
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
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, gate.length(), (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            float[] s = lane.tile(2);
            gates.read(first, g, count, lane);
            ups.read(first, u, count, lane);
            clamp(g, u, s, alpha, limit, count);
            lane.loops().activate(Activation.SIGMOID, s, s, count);
            for (int i = 0; i < count; i++) {
                u[i] = g[i] * s[i] * (u[i] + 1);
            }
            ys.write(first, u, count, lane);
        });
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
        Elements dys = Elements.of(dy);
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements dGates = Elements.of(dGate);
        Elements dUps = Elements.of(dUp);
        Elements.forTiles(workers, dy.length(), (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            float[] d = lane.tile(2);
            float[] s = lane.tile(3);
            gates.read(first, g, count, lane);
            ups.read(first, u, count, lane);
            dys.read(first, d, count, lane);
            for (int i = 0; i < count; i++) {
                s[i] = alpha * Math.min(g[i], limit);
            }
            lane.loops().activate(Activation.SIGMOID, s, s, count);
            clampedGradients(d, s, u, g, alpha, limit, count);
            dGates.write(first, g, count, lane);
            dUps.write(first, u, count, lane);
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
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            RowMath.scale(u, 1 / cap, 0, count);
            lane.loops().activate(Activation.TANH, u, u, count);
            RowMath.scale(u, cap, 0, count);
            ys.write(first, u, count, lane);
        });
    }

    @Override
    public void softCapBackward(INDArray dy, INDArray y, float cap, INDArray dx) {
        Elements dys = Elements.of(dy);
        Elements ys = Elements.of(y);
        Elements dxs = Elements.of(dx);
        float factor = 1 / (cap * cap);
        Elements.forTiles(workers, y.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] d = lane.tile(1);
            ys.read(first, u, count, lane);
            dys.read(first, d, count, lane);
            for (int i = 0; i < count; i++) {
                d[i] *= 1 - u[i] * u[i] * factor;
            }
            dxs.write(first, d, count, lane);
        });
    }
}
