package io.peft4j.core.weight;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.Float16;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Decoders of the plain types, little-endian; a block is one value. */
final class FloatBlocks {
    private static final VarHandle FLOAT = MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private FloatBlocks() {
    }

    static void f32(byte[] source, int blocks, float[] target, int offset) {
        for (int i = 0; i < blocks; i++) {
            target[offset + i] = (float) FLOAT.get(source, 4 * i);
        }
    }

    static void f16(byte[] source, int blocks, float[] target, int offset) {
        for (int i = 0; i < blocks; i++) {
            target[offset + i] = Float16.toFloat((short) SHORT.get(source, 2 * i));
        }
    }

    static void bf16(byte[] source, int blocks, float[] target, int offset) {
        for (int i = 0; i < blocks; i++) {
            target[offset + i] = BFloat16.toFloat((short) SHORT.get(source, 2 * i));
        }
    }

    /**
     * Whether no number among bytes has all bits of its exponent set, as infinities and NaN have: adding one to the
     * exponent carries into the sign, which was cleared.
     *
     * @param exponents the exponents of the numbers in eight bytes
     * @param ones the last bit of each exponent
     */
    static boolean isFinite(byte[] source, int bytes, long exponents, long ones) {
        long carried = 0;
        int whole = bytes / Long.BYTES * Long.BYTES;
        for (int i = 0; i < whole; i += Long.BYTES) {
            carried |= ((long) LONG.get(source, i) & exponents) + ones;
        }
        if (whole < bytes) {
            byte[] rest = Arrays.copyOf(Arrays.copyOfRange(source, whole, bytes), Long.BYTES);
            carried |= ((long) LONG.get(rest, 0) & exponents) + ones;
        }
        return (carried & ones << 8) == 0;
    }

    /** The half-precision number at a byte index: the scale of a block. */
    static float half(byte[] source, int index) {
        return Float16.toFloat((short) SHORT.get(source, index));
    }
}
