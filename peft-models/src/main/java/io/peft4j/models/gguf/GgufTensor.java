package io.peft4j.models.gguf;

import io.peft4j.core.weight.BlockType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** A tensor of a checkpoint as GGUF files hold it. Reading is safe from several threads. */
interface GgufTensor {
    /** Hugging Face's shape. */
    long[] shape();

    /** The type of what {@link #readBytes} gives: floats where the values are not those of the file. */
    BlockType type();

    /** Bytes. */
    long length();

    /** Where its bytes lie, if as they are and together. */
    OptionalLong address();

    /** Bytes from {@code position} on. */
    void readBytes(long position, byte[] target, int offset, int count);

    /** Values from element {@code first} on. */
    void readFloats(long first, float[] target, int offset, int count);

    /** {@link #readBytes} of floats that {@link #readFloats} gives. */
    default void encode(long position, byte[] target, int offset, int count) {
        long first = position / Float.BYTES;
        int skipped = (int) (position % Float.BYTES);
        float[] values = new float[(skipped + count + Float.BYTES - 1) / Float.BYTES];
        readFloats(first, values, 0, values.length);
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        bytes.get(skipped, target, offset, count);
    }
}
