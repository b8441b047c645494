package io.peft4j.core.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Damages files at random, in the ways that readers of binary files trip over. */
public final class Mutator {
    private static final long[] EXTREMES = {
        0, 1, -1, 2, 7, 64, 255, 1 << 20, 100_000_000, 100_000_001, Integer.MAX_VALUE, Integer.MIN_VALUE,
        Integer.MAX_VALUE - 8L, 1L << 31, (1L << 32) - 1, 1L << 32, 1L << 40, 1L << 61, 1L << 62, Long.MAX_VALUE,
        Long.MAX_VALUE - 7, Long.MAX_VALUE - 31, Long.MIN_VALUE, Long.MIN_VALUE + 1,
    };

    private final Random random;

    /**
     * A mutator.
     *
     * @param seed the seed; equal ones give equal files
     */
    public Mutator(long seed) {
        this.random = new Random(seed);
    }

    /**
     * A damaged copy, one to three times.
     *
     * @param bytes the file
     * @param head how many of its first bytes describe it; most of the damage goes there
     * @return the copy
     */
    public byte[] mutate(byte[] bytes, int head) {
        byte[] result = bytes.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            int reach = Math.min(result.length, random.nextInt(8) == 0 ? result.length : head);
            if (reach == 0) {
                return result;
            }
            result = once(result, random.nextInt(reach));
        }
        return result;
    }

    /** One of these. */
    public String oneOf(String... texts) {
        return texts[random.nextInt(texts.length)];
    }

    /** A number from 0 to below the limit. */
    public int below(int limit) {
        return random.nextInt(limit);
    }

    private byte[] once(byte[] bytes, int at) {
        return switch (random.nextInt(8)) {
            case 0 -> flip(bytes, at, 1 << random.nextInt(8));
            case 1 -> flip(bytes, at, random.nextInt(255) + 1);
            case 2 -> Arrays.copyOf(bytes, at);
            case 3 -> overwrite(bytes, at / 8 * 8, 8);
            case 4 -> overwrite(bytes, at, 8);
            case 5 -> overwrite(bytes, at, 4);
            case 6 -> splice(bytes, at, Math.min(bytes.length, at + random.nextInt(40)), new byte[0]);
            default -> splice(bytes, at, at, Arrays.copyOf(bytes, random.nextInt(Math.min(40, bytes.length)) + 1));
        };
    }

    private static byte[] flip(byte[] bytes, int at, int mask) {
        bytes[at] ^= (byte) mask;
        return bytes;
    }

    private byte[] overwrite(byte[] bytes, int at, int width) {
        long extreme = random.nextInt(4) == 0 ? bytes.length - 40L + random.nextInt(80)
                : EXTREMES[random.nextInt(EXTREMES.length)];
        byte[] value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(extreme).array();
        System.arraycopy(value, 0, bytes, at, Math.min(width, bytes.length - at));
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int begin, int end, byte[] between) {
        return ByteBuffer.allocate(bytes.length - (end - begin) + between.length)
                .put(bytes, 0, begin).put(between).put(bytes, end, bytes.length - end).array();
    }
}
