package io.peft4j.core.array;

import io.peft4j.core.Internal;

/**
 * Conversions between float and the half precision of IEEE 754 (1 sign, 5 exponent, 10 mantissa bits); rounding is to
 * nearest, ties to even.
 */
@Internal(shared = true)
public final class Float16 {
    private static final float TWO_TO_112 = 0x1p112f;
    private static final float TWO_TO_MINUS_112 = 0x1p-112f;

    private Float16() {
    }

    /**
     * The value of a half-precision number; exact.
     *
     * @param half its bits
     * @return its value; infinities and NaN are kept
     */
    public static float toFloat(short half) {
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
    public static short fromFloat(float value) {
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

    /** Drops the lowest bits of a non-negative number, rounding to nearest, ties to even. */
    private static int roundShift(int bits, int shift) {
        int half = (1 << (shift - 1)) - 1;
        return (bits + half + ((bits >>> shift) & 1)) >>> shift;
    }
}
