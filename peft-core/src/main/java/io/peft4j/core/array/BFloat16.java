package io.peft4j.core.array;

import io.peft4j.core.Internal;

/** Conversions between float and bfloat16, the upper half of a float; rounding is to nearest, ties to even. */
@Internal(shared = true)
public final class BFloat16 {
    private BFloat16() {
    }

    /** The float with the given bfloat16 bits. */
    public static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The bits of the bfloat16 nearest to {@code value}; NaN stays NaN. */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int rounded = bits + 0x7FFF + ((bits >>> 16) & 1);
        return (short) ((value != value ? bits | 0x400000 : rounded) >>> 16);
    }

    /** Widens {@code count} values of {@code source} into {@code target}. */
    public static void toFloats(short[] source, int sourceOffset, float[] target, int targetOffset, int count) {
        for (int i = 0; i < count; i++) {
            target[targetOffset + i] = Float.intBitsToFloat(source[sourceOffset + i] << 16);
        }
    }

    /** Rounds {@code count} values of {@code source} into {@code target}. */
    public static void fromFloats(float[] source, int sourceOffset, short[] target, int targetOffset, int count) {
        for (int i = 0; i < count; i++) {
            target[targetOffset + i] = fromFloat(source[sourceOffset + i]);
        }
    }
}
