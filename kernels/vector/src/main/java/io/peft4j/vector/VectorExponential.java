package io.peft4j.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code exp} of many floats: {@code 2^n * exp(r)} with {@code n = round(x / ln 2)} and {@code |r| <= ln 2 / 2}; exp(r)
 * is a polynomial of degree 7 (coefficients of Cephes' {@code expf}). Adding a large number rounds x / ln 2 and leaves
 * n + 127 in the low bits of the sum, which are moved to the exponent's place.
 *
 * <p>All of it is one loop on purpose. A method that computes one vector would be compiled by itself once it is hot,
 * found too large to be inlined where it is called next, and every vector would become an object there.
 */
final class VectorExponential {
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
