package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an optimizer does, in loops over heap tiles: they wait for the memory, so that no library is faster. */
@Internal(shared = true)
public final class UpdateLoops implements UpdateKernels {
    private final Workers<?> workers;

    /** Loops that share the elements among the given threads. */
    public UpdateLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public double sumOfSquares(INDArray x) {
        Elements xs = Elements.of(x);
        double[] sums = new double[Math.toIntExact((x.length() + Elements.PIECE - 1) / Elements.PIECE)];
        Elements.forTiles(workers, x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            sums[(int) (first / Elements.PIECE)] += lane.loops().dot(u, u, 0, count);
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
    @Override
    public void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
            AdamWStep step) {
        Elements ps = Elements.of(parameter);
        Elements gs = Elements.of(gradient);
        Elements ms = Elements.of(firstMoment);
        Elements vs = Elements.of(secondMoment);
        float decay = (float) (1 - step.learningRate() * step.weightDecay());
        float stepSize = (float) (-step.learningRate() / (1 - Math.pow(step.beta1(), step.step())));
        float correction = (float) Math.sqrt(1 - Math.pow(step.beta2(), step.step()));
        Elements.forTiles(workers, parameter.length(), (first, count, lane) -> {
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
