package io.peft4j.core.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The elementwise operations of {@link Nd4jKernels}: tiles are copied to the heap, computed and copied back. */
final class ElementwiseLoops {
    private static final int PIECE = 16 * Lane.TILE;

    private final Workers<Lane> workers;

    ElementwiseLoops(Workers<Lane> workers) {
        this.workers = workers;
    }

    /** Computes the elements from {@code first} on. */
    @FunctionalInterface
    private interface TileTask {
        void run(long first, int count, Lane lane);
    }

    private void forTiles(long length, TileTask task) {
        workers.run(Math.toIntExact((length + PIECE - 1) / PIECE), (lane, part) -> {
            long end = Math.min(length, (part + 1L) * PIECE);
            for (long first = (long) part * PIECE; first < end; first += Lane.TILE) {
                task.run(first, (int) Math.min(Lane.TILE, end - first), lane);
            }
        });
    }

    void add(INDArray a, INDArray b, INDArray y) {
        Elements as = Elements.of(a);
        Elements bs = Elements.of(b);
        Elements ys = Elements.of(y);
        forTiles(a.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] v = lane.tile(1);
            as.read(first, u, count, lane);
            bs.read(first, v, count, lane);
            add(u, v, count);
            ys.write(first, u, count, lane);
        });
    }

    private static void add(float[] u, float[] v, int count) {
        for (int i = 0; i < count; i++) {
            u[i] += v[i];
        }
    }

    void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        Elements as = Elements.of(a);
        Elements bs = Elements.of(b);
        Elements ys = Elements.of(y);
        forTiles(a.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] v = lane.tile(1);
            as.read(first, u, count, lane);
            bs.read(first, v, count, lane);
            multiply(u, v, count);
            ys.write(first, u, count, accumulate, lane, 2);
        });
    }

    private static void multiply(float[] u, float[] v, int count) {
        for (int i = 0; i < count; i++) {
            u[i] *= v[i];
        }
    }

    void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        forTiles(x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            if (alpha != 1) {
                RowMath.scale(u, alpha, 0, count);
            }
            ys.write(first, u, count, accumulate, lane, 1);
        });
    }

    void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        float keptScale = (float) (1 / (1.0 - p));
        forTiles(x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            for (int i = 0; i < count; i++) {
                u[i] = DropoutMask.keeps(seed, first + i, p) ? u[i] * keptScale : 0;
            }
            ys.write(first, u, count, accumulate, lane, 1);
        });
    }

    void siluMultiply(INDArray gate, INDArray up, INDArray y) {
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements ys = Elements.of(y);
        forTiles(gate.length(), (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            gates.read(first, g, count, lane);
            ups.read(first, u, count, lane);
            lane.loops().siluMultiply(g, u, u, 0, count);
            ys.write(first, u, count, lane);
        });
    }

    void siluMultiplyBackward(INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        Elements dys = Elements.of(dy);
        Elements gates = Elements.of(gate);
        Elements ups = Elements.of(up);
        Elements dGates = Elements.of(dGate);
        Elements dUps = Elements.of(dUp);
        forTiles(dy.length(), (first, count, lane) -> {
            float[] g = lane.tile(0);
            float[] u = lane.tile(1);
            float[] d = lane.tile(2);
            gates.read(first, g, count, lane);
            ups.read(first, u, count, lane);
            dys.read(first, d, count, lane);
            lane.loops().siluMultiplyBackward(d, g, u, u, g, 0, count);
            dGates.write(first, u, count, lane);
            dUps.write(first, g, count, lane);
        });
    }

    double sumOfSquares(INDArray x) {
        Elements xs = Elements.of(x);
        long length = x.length();
        double[] sums = new double[Math.toIntExact((length + PIECE - 1) / PIECE)];
        workers.run(sums.length, (lane, part) -> {
            long end = Math.min(length, (part + 1L) * PIECE);
            for (long first = (long) part * PIECE; first < end; first += Lane.TILE) {
                int count = (int) Math.min(Lane.TILE, end - first);
                float[] u = lane.tile(0);
                xs.read(first, u, count, lane);
                sums[part] += lane.loops().dot(u, u, 0, count);
            }
        });
        double sum = 0;
        for (double each : sums) {
            sum += each;
        }
        return sum;
    }

    /**
     * AdamW with PyTorch's order of roundings: decay, {@code m += (g - m) * (1 - beta1)},
     * {@code v = v * beta2 + (1 - beta2) * g * g}, {@code p -= lr / c1 * m / (sqrt(v) / sqrt(c2) + eps)}.
     */
    void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment, AdamWStep step) {
        Elements ps = Elements.of(parameter);
        Elements gs = Elements.of(gradient);
        Elements ms = Elements.of(firstMoment);
        Elements vs = Elements.of(secondMoment);
        float decay = (float) (1 - step.learningRate() * step.weightDecay());
        float stepSize = (float) (-step.learningRate() / (1 - Math.pow(step.beta1(), step.step())));
        float correction = (float) Math.sqrt(1 - Math.pow(step.beta2(), step.step()));
        forTiles(parameter.length(), (first, count, lane) -> {
            float[] p = lane.tile(0);
            float[] g = lane.tile(1);
            float[] m = lane.tile(2);
            float[] v = lane.tile(3);
            ps.read(first, p, count, lane);
            gs.read(first, g, count, lane);
            ms.read(first, m, count, lane);
            vs.read(first, v, count, lane);
            RowMath.scale(g, (float) step.gradientScale(), 0, count);
            moments(g, m, v, (float) (1 - step.beta1()), (float) step.beta2(), (float) (1 - step.beta2()), count);
            update(p, m, v, decay, stepSize, correction, (float) step.epsilon(), count);
            ps.write(first, p, count, lane);
            ms.write(first, m, count, lane);
            vs.write(first, v, count, lane);
        });
    }

    private static void moments(float[] g, float[] m, float[] v, float new1, float beta2, float new2, int count) {
        for (int i = 0; i < count; i++) {
            m[i] += (g[i] - m[i]) * new1;
            v[i] = v[i] * beta2 + new2 * g[i] * g[i];
        }
    }

    private static void update(float[] p, float[] m, float[] v, float decay, float stepSize, float correction,
            float epsilon, int count) {
        for (int i = 0; i < count; i++) {
            float denominator = (float) Math.sqrt(v[i]) / correction + epsilon;
            p[i] = p[i] * decay + stepSize * m[i] / denominator;
        }
    }
}
