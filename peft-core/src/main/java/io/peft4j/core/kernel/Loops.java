package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.Optional;

/**
 * The inner loops of elementwise and row operations over heap arrays: kernels copy a tile from native memory to the
 * heap, run a loop and copy it back. {@link PlainLoops} is plain Java; {@link LoopSelection} finds a faster
 * implementation where one runs.
 *
 * <p>Ranges are elements {@code from} to {@code to}, the last excluded. A result may be one of the arguments. Sums are
 * as good as sums in double. The same arguments give the same bits from one implementation; two implementations differ
 * by a few units in the last place. An instance belongs to one thread, because it may hold scratch arrays.
 */
@Internal(shared = true)
public interface Loops {
    /** A short name for logs, for instance {@code plain}. */
    String name();

    /**
     * Whether exponentials and conversions are computed in vector registers, so that no native library is faster at
     * them once the values are in the heap.
     */
    boolean vectorized();

    /** {@code x = exp(x)} in place, for x at most 88; below -87 the result may be 1e-38 instead of less. */
    void exponentials(float[] x, int from, int to);

    /** {@code x = exp(x - shift)} in the same way; returns the sum of the results. */
    double exponentials(float[] x, int from, int to, float shift);

    /** The largest element; NaN where one is NaN, negative infinity if it is empty. */
    float max(float[] x, int from, int to);

    /** The sum of x. */
    double sum(float[] x, int from, int to);

    /** The sum of a * b. */
    double dot(float[] a, float[] b, int from, int to);

    /** {@code y = gate / (1 + exp(-gate)) * up}; elements of gate that are below -88 may be changed. */
    void siluMultiply(float[] gate, float[] up, float[] y, int from, int to);

    /**
     * Gradient of {@link #siluMultiply}: with {@code s = 1 / (1 + exp(-gate))}, {@code dUp = dy * gate * s} and
     * {@code dGate = dy * up * s * (1 + gate * (1 - s))}.
     */
    void siluMultiplyBackward(float[] dy, float[] gate, float[] up, float[] dGate, float[] dUp, int from, int to);

    /** {@code y = f(x)} for the first {@code count} elements; y may be x. */
    void activate(Activation f, float[] x, float[] y, int count);

    /**
     * {@code y = f(x)}, {@code slopes = f'(x)} for the first {@code count} elements, at most {@link Tiles#TILE}; one of
     * y and slopes may be x.
     */
    void slopes(Activation f, float[] x, float[] y, float[] slopes, int count);

    /**
     * RMS norm of one row in place: {@code x = x * rstd * weight}, {@code rstd = 1 / sqrt(mean(x^2) + epsilon)}.
     *
     * @param at where the row begins in x; it is as long as {@code weight}
     * @return rstd
     */
    float rmsNorm(float[] x, int at, float[] weight, float epsilon);

    /**
     * Gradient of {@link #rmsNorm} for one row, over dy: {@code dy = rstd * (dy * weight - n * mean(dy * weight * n))},
     * {@code n = x * rstd}.
     *
     * @param at where the row begins in dy and in x; it is as long as {@code weight}
     */
    void rmsNormBackward(float[] dy, float[] x, int at, float[] weight, float rstd);

    /**
     * Rotates the pairs {@code (x[at + i], x[at + half + i])}, i below {@code half}, by the angles whose cosines and
     * sines begin at {@code angle} in their arrays, the sines times {@code sign}.
     */
    void rotate(float[] x, int at, int half, float[] cosines, float[] sines, int angle, float sign);

    /** Widens the first {@code count} bfloat16 values. */
    void widen(short[] from, float[] to, int count);

    /** Rounds the first {@code count} values to bfloat16, to nearest, ties to even; NaN stays NaN. */
    void narrow(float[] from, short[] to, int count);

    /** Products of a few rows with frozen weights, for the same thread; empty where a native library is faster. */
    default Optional<RowProducts> rowProducts() {
        return Optional.empty();
    }
}
