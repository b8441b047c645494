package io.peft4j.vector;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.Loops;
import io.peft4j.core.kernel.PlainLoops;
import io.peft4j.core.kernel.RowProducts;
import java.util.Optional;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Loops} through the JDK's Vector API, in the widest registers that the JVM uses here. What is left of a range
 * below the width of a register goes to {@link PlainLoops} or is computed one by one.
 */
final class VectorLoops implements Loops {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final VectorSpecies<Double> DOUBLES = FLOATS.withLanes(double.class);
    private static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class,
            VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final FloatVector ONE = FloatVector.broadcast(FLOATS, 1f);
    private static final int BFLOAT16_SHIFT = 16;
    private static final int HALF_BFLOAT16 = 0x7FFF;
    private static final int QUIET = 0x400000;
    private static final int INFINITY = 0x7F800000;
    private static final int SIGN_AT = 31;
    /** On x86 vectors of ints this wide came with AVX2, and fused multiplication with it. */
    private static final int AVX2_INTS = 8;

    /** Elements that are computed at once: a multiple of any number of lanes. */
    private static final int TILE = 1024;

    private final PlainLoops plain = new PlainLoops();
    private final float[] tile = new float[TILE];
    private final RowProducts rowProducts = new VectorRowProducts();

    /** Whether the JVM turns these loops into vector instructions, fused multiplication among them. */
    static boolean runsFast() {
        boolean isX86 = System.getProperty("os.arch").matches("amd64|x86_64|x86|i386");
        return LANES >= 4 && (!isX86 || IntVector.SPECIES_PREFERRED.length() >= AVX2_INTS);
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public boolean vectorized() {
        return true;
    }

    @Override
    public Optional<RowProducts> rowProducts() {
        // Narrower registers hold too little to be faster than a native library.
        return LANES >= AVX2_INTS ? Optional.of(rowProducts) : Optional.empty();
    }

    private static FloatVector load(float[] x, int at) {
        return FloatVector.fromArray(FLOATS, x, at);
    }

    /** Where the last whole vector of a range ends. */
    private static int whole(int from, int to) {
        return from + FLOATS.loopBound(to - from);
    }

    @Override
    public void exponentials(float[] x, int from, int to) {
        int end = whole(from, to);
        VectorExponential.apply(x, from, 1, 0, x, from, end - from);
        plain.exponentials(x, end, to);
    }

    @Override
    public double exponentials(float[] x, int from, int to, float shift) {
        int end = whole(from, to);
        VectorExponential.apply(x, from, 1, shift, x, from, end - from);
        return sum(x, from, end) + plain.exponentials(x, end, to, shift);
    }

    /** Half of the lanes as doubles. */
    private static DoubleVector half(FloatVector x, int part) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, part);
    }

    @Override
    public float max(float[] x, int from, int to) {
        int end = whole(from, to);
        FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = from; i < end; i += LANES) {
            largest = largest.max(load(x, i));
        }
        return Math.max(largest.reduceLanes(VectorOperators.MAX), plain.max(x, end, to));
    }

    @Override
    public double sum(float[] x, int from, int to) {
        int end = whole(from, to);
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = low;
        for (int i = from; i < end; i += LANES) {
            FloatVector v = load(x, i);
            low = low.add(half(v, 0));
            high = high.add(half(v, 1));
        }
        return low.add(high).reduceLanes(VectorOperators.ADD) + plain.sum(x, end, to);
    }

    @Override
    public double dot(float[] a, float[] b, int from, int to) {
        int end = whole(from, to);
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = low;
        for (int i = from; i < end; i += LANES) {
            FloatVector u = load(a, i);
            FloatVector v = load(b, i);
            low = half(u, 0).fma(half(v, 0), low);
            high = half(u, 1).fma(half(v, 1), high);
        }
        return low.add(high).reduceLanes(VectorOperators.ADD) + plain.dot(a, b, end, to);
    }

    @Override
    public void siluMultiply(float[] gate, float[] up, float[] y, int from, int to) {
        int end = whole(from, to);
        for (int at = from; at < end; at += TILE) {
            int count = Math.min(TILE, end - at);
            VectorExponential.apply(gate, at, -1, 0, tile, 0, count);
            for (int i = 0; i < count; i += LANES) {
                load(gate, at + i).max(-VectorExponential.HIGHEST).mul(load(up, at + i)).div(load(tile, i).add(ONE))
                        .intoArray(y, at + i);
            }
        }
        plain.siluMultiply(gate, up, y, end, to);
    }

    @Override
    public void siluMultiplyBackward(float[] dy, float[] gate, float[] up, float[] dGate, float[] dUp, int from,
            int to) {
        int end = whole(from, to);
        for (int at = from; at < end; at += TILE) {
            int count = Math.min(TILE, end - at);
            VectorExponential.apply(gate, at, -1, 0, tile, 0, count);
            for (int i = 0; i < count; i += LANES) {
                FloatVector g = load(gate, at + i).max(-VectorExponential.HIGHEST);
                FloatVector s = ONE.div(load(tile, i).add(ONE));
                FloatVector ds = load(dy, at + i).mul(s);
                FloatVector dUps = ds.mul(g);
                ds.mul(load(up, at + i)).mul(g.fma(ONE.sub(s), ONE)).intoArray(dGate, at + i);
                dUps.intoArray(dUp, at + i);
            }
        }
        plain.siluMultiplyBackward(dy, gate, up, dGate, dUp, end, to);
    }

    @Override
    public void activate(Activation f, float[] x, float[] y, int count) {
        plain.activate(f, x, y, count);
    }

    @Override
    public void slopes(Activation f, float[] x, float[] y, float[] slopes, int count) {
        plain.slopes(f, x, y, slopes, count);
    }

    @Override
    public float rmsNorm(float[] x, int at, float[] weight, float epsilon) {
        int width = weight.length;
        float rstd = (float) (1 / Math.sqrt(dot(x, x, at, at + width) / width + epsilon));
        int end = FLOATS.loopBound(width);
        for (int i = 0; i < end; i += LANES) {
            load(x, at + i).mul(rstd).mul(load(weight, i)).intoArray(x, at + i);
        }
        for (int i = end; i < width; i++) {
            x[at + i] = x[at + i] * rstd * weight[i];
        }
        return rstd;
    }

    @Override
    public void rmsNormBackward(float[] dy, float[] x, int at, float[] weight, float rstd) {
        int width = weight.length;
        int end = FLOATS.loopBound(width);
        for (int i = 0; i < end; i += LANES) {
            load(dy, at + i).mul(load(weight, i)).intoArray(dy, at + i);
        }
        for (int i = end; i < width; i++) {
            dy[at + i] *= weight[i];
        }
        float shift = (float) (dot(dy, x, at, at + width) / width * rstd * rstd * rstd);
        for (int i = 0; i < end; i += LANES) {
            load(dy, at + i).mul(rstd).sub(load(x, at + i).mul(shift)).intoArray(dy, at + i);
        }
        for (int i = end; i < width; i++) {
            dy[at + i] = dy[at + i] * rstd - x[at + i] * shift;
        }
    }

    @Override
    public void rotate(float[] x, int at, int half, float[] cosines, float[] sines, int angle, float sign) {
        int end = FLOATS.loopBound(half);
        for (int i = 0; i < end; i += LANES) {
            FloatVector a = load(x, at + i);
            FloatVector b = load(x, at + half + i);
            FloatVector cosine = load(cosines, angle + i);
            FloatVector sine = load(sines, angle + i).mul(sign);
            a.mul(cosine).sub(b.mul(sine)).intoArray(x, at + i);
            b.mul(cosine).add(a.mul(sine)).intoArray(x, at + half + i);
        }
        for (int i = end; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            float sine = sign * sines[angle + i];
            x[at + i] = a * cosines[angle + i] - b * sine;
            x[at + half + i] = b * cosines[angle + i] + a * sine;
        }
    }

    @Override
    public void widen(short[] from, float[] to, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LANES) {
            IntVector bits = (IntVector) ShortVector.fromArray(SHORTS, from, i)
                    .convertShape(VectorOperators.S2I, INTS, 0);
            bits.lanewise(VectorOperators.LSHL, BFLOAT16_SHIFT).reinterpretAsFloats().intoArray(to, i);
        }
        for (int i = end; i < count; i++) {
            to[i] = BFloat16.toFloat(from[i]);
        }
    }

    @Override
    public void narrow(float[] from, short[] to, int count) {
        int end = FLOATS.loopBound(count);
        for (int i = 0; i < end; i += LANES) {
            IntVector bits = load(from, i).reinterpretAsInts();
            // All ones where the value is NaN: masks cost more than arithmetic on Java 17.
            IntVector nan = bits.and(Integer.MAX_VALUE).neg().add(INFINITY).lanewise(VectorOperators.ASHR, SIGN_AT);
            IntVector odd = bits.lanewise(VectorOperators.LSHR, BFLOAT16_SHIFT).and(1);
            IntVector rounded = bits.add(HALF_BFLOAT16).add(odd).and(nan.not()).or(bits.or(QUIET).and(nan));
            ((ShortVector) rounded.lanewise(VectorOperators.LSHR, BFLOAT16_SHIFT)
                    .convertShape(VectorOperators.I2S, SHORTS, 0)).intoArray(to, i);
        }
        for (int i = end; i < count; i++) {
            to[i] = BFloat16.fromFloat(from[i]);
        }
    }

    /**
     * {@code exp} of many floats: {@code 2^n * exp(r)} with {@code n = round(x / ln 2)} and {@code |r| <= ln 2 / 2};
     * exp(r) is a polynomial of degree 7 (coefficients of Cephes' {@code expf}). Adding a large number rounds x / ln 2
     * and leaves n + 127 in the low bits of the sum, which are moved to the exponent's place.
     *
     * <p>All of it is one loop on purpose. A method that computes one vector would be compiled separately once it is
     * hot, found too large to be inlined where it is called next, and every vector would become an object there.
     */
    private static final class VectorExponential {
        /** Bounds between which power and result are finite and not zero. */
        static final float HIGHEST = 88.3f;
        static final float LOWEST = -87.3f;

        private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
        private static final int EXPONENT_AT = 23;
        private static final FloatVector ROUNDER = all(0x1.8p23f + 127);
        private static final FloatVector LOG2_E = all(1.44269504f);
        private static final FloatVector MINUS_LN2_HIGH = all(-0.693359375f);
        private static final FloatVector MINUS_LN2_LOW = all(2.12194440e-4f);
        private static final FloatVector ONE = all(1f);
        private static final FloatVector C2 = all(5.0000001201e-1f);
        private static final FloatVector C3 = all(1.6666665459e-1f);
        private static final FloatVector C4 = all(4.1665795894e-2f);
        private static final FloatVector C5 = all(8.3334519073e-3f);
        private static final FloatVector C6 = all(1.3981999507e-3f);
        private static final FloatVector C7 = all(1.9875691500e-4f);

        private VectorExponential() {
        }

        private static FloatVector all(float value) {
            return FloatVector.broadcast(SPECIES, value);
        }

        /**
         * {@code y[yAt + i] = exp(sign * x[xAt + i] - shift)} for i below {@code count}, a multiple of the lanes; the
         * exponent is brought between {@link #LOWEST} and {@link #HIGHEST}. NaN stays NaN; y may be x.
         */
        static void apply(float[] x, int xAt, float sign, float shift, float[] y, int yAt, int count) {
            for (int i = 0; i < count; i += SPECIES.length()) {
                FloatVector bounded = FloatVector.fromArray(SPECIES, x, xAt + i).mul(sign).sub(shift).max(LOWEST)
                        .min(HIGHEST);
                FloatVector rounded = bounded.fma(LOG2_E, ROUNDER);
                FloatVector power = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_AT)
                        .reinterpretAsFloats();
                FloatVector n = rounded.sub(ROUNDER);
                FloatVector r = n.fma(MINUS_LN2_LOW, n.fma(MINUS_LN2_HIGH, bounded));
                FloatVector p = C7.fma(r, C6).fma(r, C5).fma(r, C4).fma(r, C3).fma(r, C2);
                p.mul(r).fma(r, r.add(ONE)).mul(power).intoArray(y, yAt + i);
            }
        }
    }
}
