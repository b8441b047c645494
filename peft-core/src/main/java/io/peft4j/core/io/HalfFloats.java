package io.peft4j.core.io;

/**
 * Conversions between {@code float} and the two 16-bit types: IEEE 754 half precision (1 sign, 5 exponent, 10 mantissa
 * bits) and bfloat16 (1, 8, 7: the upper half of a float).
 */
public final class HalfFloats {
    private static final float TWO_TO_112 = 0x1p112f;
    private static final float TWO_TO_MINUS_112 = 0x1p-112f;

    private HalfFloats() {
    }

    /**
     * The value of a half-precision number; exact.
     *
     * @param half its bits
     * @return its value; infinities and NaN are kept
     */
    public static float fromHalf(short half) {
        int sign = (half & 0x8000) << 16;
        int rest = (half & 0x7fff) << 13;
        if ((half & 0x7c00) == 0x7c00) {
            return Float.intBitsToFloat(sign | 0x7f800000 | rest);
        }
        // The exponent biases differ by 112. As a product this holds for subnormal numbers too.
        return Float.intBitsToFloat(sign | Float.floatToRawIntBits(Float.intBitsToFloat(rest) * TWO_TO_112));
    }

    /**
     * The nearest half-precision number, ties to even.
     *
     * @param value a value; from 65520 on it becomes infinite
     * @return its bits
     */
    public static short toHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 65520f) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x1p-14f) {
            // Subnormal: a multiple of 2^-24. Adding 2^23 of that unit makes the processor round at the right place.
            float rounded = magnitude * 0x1p24f + 0x1p23f;
            return (short) (sign | (Float.floatToRawIntBits(rounded) & 0x7ff));
        }
        int scaled = Float.floatToRawIntBits(magnitude * TWO_TO_MINUS_112);
        return (short) (sign | roundShift(scaled, 13));
    }

    /**
     * The value of a bfloat16 number; exact.
     *
     * @param bfloat16 its bits
     * @return its value
     */
    public static float fromBfloat16(short bfloat16) {
        return Float.intBitsToFloat(bfloat16 << 16);
    }

    /**
     * The nearest bfloat16 number, ties to even.
     *
     * @param value a value
     * @return its bits; NaN stays NaN
     */
    public static short toBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if ((bits & 0x7fffffff) > 0x7f800000) {
            // Rounding could carry a NaN into an infinity.
            return (short) ((bits >>> 16) | 0x0040);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    /** Drops the lowest bits of a non-negative number, rounding to nearest, ties to even. */
    private static int roundShift(int bits, int shift) {
        int half = (1 << (shift - 1)) - 1;
        return (bits + half + ((bits >>> shift) & 1)) >>> shift;
    }
}
