package io.peft4j.core.kernel;

/**
 * Activations and their slopes over tiles of floats, in loops that the JIT compiler vectorizes. One instance for each
 * thread.
 *
 * <p>SiLU, its quick relative and the approximation of GELU are {@code x * sigmoid(u(x))} and need an exponential. The
 * hyperbolic tangent and the error function are {@code x * p(x^2) / q(x^2)} up to where they round to 1, with
 * coefficients fitted to the least relative error; together with the roundings it is below 4e-7.
 */
final class ActivationMath {
    /** Elements that are computed at once, at most. */
    static final int TILE = Exponential.TILE;
    /** Below this, gates have vanished. */
    static final float LARGEST = Exponential.HIGHEST;
    /** Below this, GELU has vanished, and from here on its slope is that of RELU. */
    static final float LARGEST_GELU = 8f;
    static final float SQRT_HALF = 0.70710678f;
    static final float NORMAL_DENSITY = 0.39894228f;
    static final float QUICK = 1.702f;
    /** {@code 2 sqrt(2 / pi)}, and times the factor of the cube. */
    static final float TANH_FACTOR = 1.5957691f;
    static final float TANH_CUBE = 0.07135481f;

    static final float TANH_BOUND = 7.9f;
    static final float TANH_P1 = 1.3730523e-1f;
    static final float TANH_P2 = 3.9320947e-3f;
    static final float TANH_P3 = 2.9319253e-5f;
    static final float TANH_P4 = 3.3867956e-8f;
    static final float TANH_P5 = -1.4794170e-11f;
    static final float TANH_Q1 = 4.7063857e-1f;
    static final float TANH_Q2 = 2.7478286e-2f;
    static final float TANH_Q3 = 4.0518999e-4f;
    static final float TANH_Q4 = 1.3806052e-6f;
    static final float ERF_BOUND = 3.8f;
    static final float ERF_P0 = 1.1283791f;
    static final float ERF_P1 = 1.8624981e-1f;
    static final float ERF_P2 = 5.2310757e-2f;
    static final float ERF_P3 = 3.6150848e-3f;
    static final float ERF_P4 = 2.8650937e-4f;
    static final float ERF_P5 = 2.1510352e-6f;
    static final float ERF_Q1 = 4.9839255e-1f;
    static final float ERF_Q2 = 1.1249205e-1f;
    static final float ERF_Q3 = 1.4667287e-2f;
    static final float ERF_Q4 = 1.1351035e-3f;
    static final float ERF_Q5 = 3.9213523e-5f;

    private final Exponential exponential = new Exponential();
    private final float[] e = new float[TILE];
    private final float[] t = new float[TILE];

    /** {@code y[i] = f(x[i])} for i below {@code count}, at most {@link #TILE}; y may be x. */
    void values(Activation f, float[] x, float[] y, int count) {
        switch (f) {
            case SILU, QUICK_GELU, GELU_TANH, SIGMOID -> {
                negatedExponents(f, x, count);
                exponential.apply(e, e, count);
                if (f == Activation.SIGMOID) {
                    sigmoids(e, y, count);
                } else {
                    gates(x, e, y, count);
                }
            }
            case GELU -> {
                errors(x, e, count);
                gelus(x, e, y, count);
            }
            case RELU -> relus(x, y, count);
            case RELU_SQUARED -> squares(x, y, count);
            case TANH -> tangents(x, y, count);
        }
    }

    /** {@code y[i] = f(x[i])}, {@code slopes[i] = f'(x[i])}; one of y and slopes may be x. */
    void slopes(Activation f, float[] x, float[] y, float[] slopes, int count) {
        switch (f) {
            case SILU, QUICK_GELU, GELU_TANH, SIGMOID -> {
                negatedExponents(f, x, count);
                exponential.apply(e, e, count);
                switch (f) {
                    case SILU -> gateSlopes(x, e, 1, 0, y, slopes, count);
                    case QUICK_GELU -> gateSlopes(x, e, QUICK, 0, y, slopes, count);
                    case GELU_TANH -> gateSlopes(x, e, TANH_FACTOR, 3 * TANH_CUBE, y, slopes, count);
                    default -> sigmoidSlopes(e, y, slopes, count);
                }
            }
            case GELU -> {
                halfSquares(x, e, count);
                exponential.apply(e, e, count);
                errors(x, t, count);
                geluSlopes(x, e, t, y, slopes, count);
            }
            case RELU -> reluSlopes(x, y, slopes, count);
            case RELU_SQUARED -> squareSlopes(x, y, slopes, count);
            case TANH -> tangentSlopes(x, y, slopes, count);
        }
    }

    /** {@code e = -u(x)}, bounded so that the exponential is finite. */
    private void negatedExponents(Activation f, float[] x, int count) {
        switch (f) {
            case QUICK_GELU -> negatedExponents(x, QUICK, 0, e, count);
            case GELU_TANH -> negatedExponents(x, TANH_FACTOR, TANH_CUBE, e, count);
            default -> negatedExponents(x, 1, 0, e, count);
        }
    }

    private static void negatedExponents(float[] x, float factor, float cube, float[] e, int count) {
        for (int i = 0; i < count; i++) {
            float b = Math.max(-LARGEST, Math.min(LARGEST, x[i]));
            e[i] = Math.min(LARGEST, -b * (factor + cube * b * b));
        }
    }

    private static void sigmoids(float[] e, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] = 1 / (1 + e[i]);
        }
    }

    private static void sigmoidSlopes(float[] e, float[] y, float[] slopes, int count) {
        for (int i = 0; i < count; i++) {
            float s = 1 / (1 + e[i]);
            y[i] = s;
            slopes[i] = s * (1 - s);
        }
    }

    private static void gates(float[] x, float[] e, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] = Math.max(-LARGEST, x[i]) / (1 + e[i]);
        }
    }

    /** With s = sigmoid(u(x)): x s, and s + x s (1 - s) u'(x). */
    private static void gateSlopes(float[] x, float[] e, float factor, float square, float[] y, float[] slopes,
            int count) {
        for (int i = 0; i < count; i++) {
            float s = 1 / (1 + e[i]);
            float b = Math.max(-LARGEST, Math.min(LARGEST, x[i]));
            float value = Math.max(-LARGEST, x[i]) * s;
            slopes[i] = s + b * s * (1 - s) * (factor + square * b * b);
            y[i] = value;
        }
    }

    private static void relus(float[] x, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] = Math.max(x[i], 0f);
        }
    }

    private static void reluSlopes(float[] x, float[] y, float[] slopes, int count) {
        for (int i = 0; i < count; i++) {
            float value = x[i];
            y[i] = Math.max(value, 0f);
            slopes[i] = value > 0 ? 1 : 0;
        }
    }

    private static void squares(float[] x, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            float value = Math.max(x[i], 0f);
            y[i] = value * value;
        }
    }

    private static void squareSlopes(float[] x, float[] y, float[] slopes, int count) {
        for (int i = 0; i < count; i++) {
            float value = Math.max(x[i], 0f);
            y[i] = value * value;
            slopes[i] = 2 * value;
        }
    }

    private static float tangent(float x) {
        float b = Math.max(-TANH_BOUND, Math.min(TANH_BOUND, x));
        float z = b * b;
        float p = ((((TANH_P5 * z + TANH_P4) * z + TANH_P3) * z + TANH_P2) * z + TANH_P1) * z + 1;
        float q = (((TANH_Q4 * z + TANH_Q3) * z + TANH_Q2) * z + TANH_Q1) * z + 1;
        return b * p / q;
    }

    private static void tangents(float[] x, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] = tangent(x[i]);
        }
    }

    private static void tangentSlopes(float[] x, float[] y, float[] slopes, int count) {
        for (int i = 0; i < count; i++) {
            float t = tangent(x[i]);
            y[i] = t;
            slopes[i] = 1 - t * t;
        }
    }

    private static float error(float x) {
        float b = Math.max(-ERF_BOUND, Math.min(ERF_BOUND, x * SQRT_HALF));
        float z = b * b;
        float p = ((((ERF_P5 * z + ERF_P4) * z + ERF_P3) * z + ERF_P2) * z + ERF_P1) * z + ERF_P0;
        float q = ((((ERF_Q5 * z + ERF_Q4) * z + ERF_Q3) * z + ERF_Q2) * z + ERF_Q1) * z + 1;
        return b * p / q;
    }

    /** {@code erf(x / sqrt(2))}. */
    private static void errors(float[] x, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] = error(x[i]);
        }
    }

    private static void gelus(float[] x, float[] errors, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] = 0.5f * Math.max(-LARGEST_GELU, x[i]) * (1 + errors[i]);
        }
    }

    private static void halfSquares(float[] x, float[] e, int count) {
        for (int i = 0; i < count; i++) {
            float b = Math.max(-LARGEST_GELU, Math.min(LARGEST_GELU, x[i]));
            e[i] = -0.5f * b * b;
        }
    }

    private static void geluSlopes(float[] x, float[] e, float[] errors, float[] y, float[] slopes, int count) {
        for (int i = 0; i < count; i++) {
            float b = Math.max(-LARGEST_GELU, Math.min(LARGEST_GELU, x[i]));
            float share = 0.5f * (1 + errors[i]);
            float value = Math.max(-LARGEST_GELU, x[i]) * share;
            slopes[i] = share + NORMAL_DENSITY * b * e[i];
            y[i] = value;
        }
    }
}
