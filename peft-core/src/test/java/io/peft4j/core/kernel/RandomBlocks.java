package io.peft4j.core.kernel;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.Float16;
import io.peft4j.core.weight.BlockType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Random encoded blocks whose values lie around 1: random bits, except for sensible half-precision scales. */
final class RandomBlocks {
    private RandomBlocks() {
    }

    static byte[] of(BlockType type, long elements, Random random) {
        byte[] bytes = new byte[Math.toIntExact(type.bytes(elements))];
        random.nextBytes(bytes);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.length; at += type.blockBytes()) {
            switch (type) {
                case F32 -> buffer.putFloat(at, (float) random.nextGaussian());
                case F16 -> buffer.putShort(at, half(random.nextGaussian()));
                case BF16 -> buffer.putShort(at, BFloat16.fromFloat((float) random.nextGaussian()));
                case Q4_0, Q5_0 -> buffer.putShort(at, scale(0.2, random));
                case Q4_1, Q5_1 -> buffer.putShort(at, scale(0.2, random))
                        .putShort(at + 2, half(-2 * random.nextFloat()));
                case Q8_0 -> buffer.putShort(at, scale(0.02, random));
                case Q2_K -> buffer.putShort(at + 80, scale(0.1, random)).putShort(at + 82, scale(0.15, random));
                case Q3_K -> buffer.putShort(at + 108, scale(0.02, random));
                case Q5_K -> buffer.putShort(at, scale(0.0025, random)).putShort(at + 2, scale(0.03, random));
                case MXFP4 -> buffer.put(at, (byte) (125 + random.nextInt(3)));
                case Q4_K -> buffer.putShort(at, scale(0.005, random)).putShort(at + 2, scale(0.03, random));
                case Q6_K -> buffer.putShort(at + 208, scale(0.001, random));
                default -> throw new IllegalArgumentException("no random blocks of type " + type);
            }
        }
        return bytes;
    }

    private static short scale(double size, Random random) {
        return half(size * (0.5 + random.nextFloat()));
    }

    private static short half(double value) {
        return Float16.fromFloat((float) value);
    }
}
