package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.array.BFloat16;
import java.util.Arrays;

/**
 * {@link Loops} that run in every JVM; short enough for the JIT compiler to vectorize most of them. It does so only
 * where all arrays of a loop have the same index, so ranges that begin elsewhere are copied to the start of a tile.
 */
@Internal(shared = true)
public final class PlainLoops implements Loops {
    static final String NAME = "plain";

    private static final int TILE = Exponential.TILE;

    private final Exponential exponential = new Exponential();
    private final ActivationMath activations = new ActivationMath();
    private final float[] tile = new float[TILE];
    private final float[] gates = new float[TILE];
    private final float[] ups = new float[TILE];
    private final float[] gradients = new float[TILE];

    /** Loops for one thread. */
    public PlainLoops() {
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean vectorized() {
        return false;
    }

    @Override
    public void exponentials(float[] x, int from, int to) {
        if (from == 0 && to <= TILE) {
            exponential.apply(x, x, to);
            return;
        }
        for (int at = from; at < to; at += TILE) {
            int count = Math.min(TILE, to - at);
            System.arraycopy(x, at, tile, 0, count);
            exponential.apply(tile, tile, count);
            System.arraycopy(tile, 0, x, at, count);
        }
    }

    @Override
    public double exponentials(float[] x, int from, int to, float shift) {
        for (int at = from; at < to; at += TILE) {
            int count = Math.min(TILE, to - at);
            System.arraycopy(x, at, tile, 0, count);
            RowMath.subtract(tile, shift, 0, count);
            exponential.apply(tile, tile, count);
            System.arraycopy(tile, 0, x, at, count);
        }
        return RowMath.sum(x, from, to);
    }

    @Override
    public float max(float[] x, int from, int to) {
        return RowMath.max(x, from, to);
    }

    @Override
    public double sum(float[] x, int from, int to) {
        return RowMath.sum(x, from, to);
    }

    @Override
    public double dot(float[] a, float[] b, int from, int to) {
        return RowMath.dot(a, b, from, to);
    }

    @Override
    public void siluMultiply(float[] gate, float[] up, float[] y, int from, int to) {
        if (from == 0 && to <= TILE && y == up) {
            silu(gate, up, to);
            return;
        }
        for (int at = from; at < to; at += TILE) {
            int count = Math.min(TILE, to - at);
            System.arraycopy(gate, at, gates, 0, count);
            System.arraycopy(up, at, ups, 0, count);
            silu(gates, ups, count);
            System.arraycopy(ups, 0, y, at, count);
        }
    }

    /** Leaves the result in u. */
    private void silu(float[] g, float[] u, int count) {
        negate(g, tile, count);
        exponential.apply(tile, tile, count);
        silu(g, u, tile, count);
    }

    /** Bounds g from below, where silu has vanished, and negates it: so the exponential stays finite. */
    private static void negate(float[] g, float[] e, int count) {
        for (int i = 0; i < count; i++) {
            g[i] = Math.max(g[i], -Exponential.HIGHEST);
            e[i] = -g[i];
        }
    }

    private static void silu(float[] g, float[] u, float[] e, int count) {
        for (int i = 0; i < count; i++) {
            u[i] *= g[i] / (1 + e[i]);
        }
    }

    @Override
    public void siluMultiplyBackward(float[] dy, float[] gate, float[] up, float[] dGate, float[] dUp, int from,
            int to) {
        if (from == 0 && to <= TILE && dGate == up && dUp == gate) {
            siluGradients(dy, gate, up, to);
            return;
        }
        for (int at = from; at < to; at += TILE) {
            int count = Math.min(TILE, to - at);
            System.arraycopy(gate, at, gates, 0, count);
            System.arraycopy(up, at, ups, 0, count);
            System.arraycopy(dy, at, gradients, 0, count);
            siluGradients(gradients, gates, ups, count);
            System.arraycopy(ups, 0, dGate, at, count);
            System.arraycopy(gates, 0, dUp, at, count);
        }
    }

    private void siluGradients(float[] d, float[] g, float[] u, int count) {
        negate(g, tile, count);
        exponential.apply(tile, tile, count);
        siluGradients(d, g, u, tile, count);
    }

    /** Leaves dUp in g and dGate in u; with s = 1 / (1 + e): dUp = d g s, dGate = d u s (1 + g (1 - s)). */
    private static void siluGradients(float[] d, float[] g, float[] u, float[] e, int count) {
        for (int i = 0; i < count; i++) {
            float s = 1 / (1 + e[i]);
            float x = g[i];
            u[i] = d[i] * u[i] * s * (1 + x * (1 - s));
            g[i] = d[i] * x * s;
        }
    }

    @Override
    public void activate(Activation f, float[] x, float[] y, int count) {
        if (count <= TILE) {
            activations.values(f, x, y, count);
            return;
        }
        for (int at = 0; at < count; at += TILE) {
            int length = Math.min(TILE, count - at);
            System.arraycopy(x, at, tile, 0, length);
            activations.values(f, tile, tile, length);
            System.arraycopy(tile, 0, y, at, length);
        }
    }

    @Override
    public void slopes(Activation f, float[] x, float[] y, float[] slopes, int count) {
        activations.slopes(f, x, y, slopes, count);
    }

    @Override
    public float rmsNorm(float[] x, int at, float[] weight, float epsilon) {
        int width = weight.length;
        float[] row = at == 0 ? x : Arrays.copyOfRange(x, at, at + width);
        float rstd = (float) (1 / Math.sqrt(RowMath.dot(row, row, width) / width + epsilon));
        normalize(row, weight, rstd, width);
        if (at != 0) {
            System.arraycopy(row, 0, x, at, width);
        }
        return rstd;
    }

    private static void normalize(float[] x, float[] weight, float rstd, int count) {
        for (int i = 0; i < count; i++) {
            x[i] = x[i] * rstd * weight[i];
        }
    }

    @Override
    public void rmsNormBackward(float[] dy, float[] x, int at, float[] weight, float rstd) {
        int width = weight.length;
        float[] g = at == 0 ? dy : Arrays.copyOfRange(dy, at, at + width);
        float[] u = at == 0 ? x : Arrays.copyOfRange(x, at, at + width);
        multiply(g, weight, width);
        double mean = RowMath.dotInPieces(g, u, 0, width) / width;
        combine(g, u, rstd, (float) (mean * rstd * rstd * rstd), width);
        if (at != 0) {
            System.arraycopy(g, 0, dy, at, width);
        }
    }

    private static void multiply(float[] g, float[] weight, int count) {
        for (int i = 0; i < count; i++) {
            g[i] *= weight[i];
        }
    }

    private static void combine(float[] g, float[] x, float scale, float shift, int count) {
        for (int i = 0; i < count; i++) {
            g[i] = g[i] * scale - x[i] * shift;
        }
    }

    @Override
    public void rotate(float[] x, int at, int half, float[] cosines, float[] sines, int angle, float sign) {
        for (int i = 0; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            float cosine = cosines[angle + i];
            float sine = sign * sines[angle + i];
            x[at + i] = a * cosine - b * sine;
            x[at + half + i] = b * cosine + a * sine;
        }
    }

    @Override
    public void widen(short[] from, float[] to, int count) {
        BFloat16.toFloats(from, 0, to, 0, count);
    }

    @Override
    public void narrow(float[] from, short[] to, int count) {
        BFloat16.fromFloats(from, 0, to, 0, count);
    }
}
