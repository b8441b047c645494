package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Layer norm for any implementation of {@link Kernels}: rows are copied to the heap, computed and copied back. */
@Internal(shared = true)
public final class LayerNormLoops implements LayerNormKernels {
    /** Columns that a sum over rows takes at a time. */
    private static final int COLUMNS = 256;

    private final Workers<?> workers;

    /** Loops on the given threads. */
    public LayerNormLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public void layerNorm(INDArray x, INDArray weight, Optional<INDArray> bias, float epsilon, INDArray y,
            INDArray mean, INDArray rstd) {
        float[] w = Arrays.toFloats(weight);
        int width = w.length;
        float[] b = bias.map(Arrays::toFloats).orElseGet(() -> new float[width]);
        float[] m = new float[Arrays.rows(x)];
        float[] r = new float[m.length];
        Elements.computeRows(workers, y, false, (row, lane) -> {
            float[] u = lane.floats(0, width);
            double exact = lane.loops().sum(u, 0, width) / width;
            m[row] = (float) exact;
            RowMath.subtract(u, m[row], 0, width);
            // What the rounding of the mean has left counts where the mean is large beside the deviation.
            double rest = exact - m[row];
            double variance = lane.loops().dot(u, u, 0, width) / width - rest * rest;
            r[row] = (float) (1 / Math.sqrt(variance + epsilon));
            scaleAndShift(u, (float) rest, r[row], w, b, width);
        }, x);
        Arrays.write(mean, 0, m, 0, m.length);
        Arrays.write(rstd, 0, r, 0, r.length);
    }

    private static void scaleAndShift(float[] u, float rest, float factor, float[] w, float[] b, int count) {
        for (int i = 0; i < count; i++) {
            u[i] = (u[i] - rest) * factor * w[i] + b[i];
        }
    }

    @Override
    public void layerNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray mean, INDArray rstd, INDArray dx,
            boolean accumulate) {
        float[] w = Arrays.toFloats(weight);
        float[] m = Arrays.toFloats(mean);
        float[] r = Arrays.toFloats(rstd);
        int width = w.length;
        Elements.computeRows(workers, dx, accumulate, (row, lane) -> {
            float[] g = lane.floats(0, width);
            float[] u = lane.floats(1, width);
            normalize(u, m[row], r[row], g, w, width);
            float sum = (float) (lane.loops().sum(g, 0, width) / width);
            float dot = (float) (lane.loops().dot(g, u, 0, width) / width);
            combine(g, u, r[row], sum, dot, width);
        }, dy, x);
    }

    private static void normalize(float[] u, float mean, float rstd, float[] g, float[] w, int count) {
        for (int i = 0; i < count; i++) {
            u[i] = (u[i] - mean) * rstd;
            g[i] *= w[i];
        }
    }

    private static void combine(float[] g, float[] n, float rstd, float sum, float dot, int count) {
        for (int i = 0; i < count; i++) {
            g[i] = (g[i] - sum - n[i] * dot) * rstd;
        }
    }

    /** A range of columns at a time, so that no partial sums have to be joined. */
    @Override
    public void layerNormWeightBackward(INDArray dy, INDArray x, INDArray mean, INDArray rstd, INDArray dw,
            Optional<INDArray> db) {
        Elements dys = Elements.of(dy);
        Elements xs = Elements.of(x);
        float[] m = Arrays.toFloats(mean);
        float[] r = Arrays.toFloats(rstd);
        int width = Arrays.columns(x);
        workers.run((width + COLUMNS - 1) / COLUMNS, (lane, part) -> {
            int from = part * COLUMNS;
            int count = Math.min(COLUMNS, width - from);
            float[] products = lane.tile(0);
            float[] sums = lane.tile(1);
            float[] d = lane.tile(2);
            float[] u = lane.tile(3);
            java.util.Arrays.fill(products, 0, count, 0);
            java.util.Arrays.fill(sums, 0, count, 0);
            for (int i = 0; i < r.length; i++) {
                dys.read((long) i * width + from, d, count, lane);
                xs.read((long) i * width + from, u, count, lane);
                add(products, sums, d, u, m[i], r[i], count);
            }
            Elements.of(dw).write(from, products, count, true, lane, 4);
            db.ifPresent(target -> Elements.of(target).write(from, sums, count, true, lane, 4));
        });
    }

    private static void add(float[] products, float[] sums, float[] d, float[] u, float mean, float rstd, int count) {
        for (int i = 0; i < count; i++) {
            products[i] += d[i] * ((u[i] - mean) * rstd);
            sums[i] += d[i];
        }
    }
}
