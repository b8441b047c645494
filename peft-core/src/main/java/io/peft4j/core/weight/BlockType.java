package io.peft4j.core.weight;

import io.peft4j.core.array.NativeMemory;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;

/**
 * How the values of a frozen weight are stored: plain floats of 32 or 16 bits, or the blocks of ggml (llama.cpp), in
 * which a few dozen small integers share a scale.
 *
 * <p>A row of a weight is a whole number of blocks; blocks follow each other without gaps. The values that {@code
 * dequantize} gives are bit for bit those of ggml's reference ({@code dequantize_row_*} without fused multiply-add).
 */
public enum BlockType {
    /** 32-bit floats. */
    F32(0, 1, 4, FloatBlocks::f32),
    /** 16-bit floats of IEEE 754 (half precision). */
    F16(1, 1, 2, FloatBlocks::f16, 0),
    /** 16-bit brain floats. */
    BF16(30, 1, 2, FloatBlocks::bf16),
    /** 4-bit q: {@code d * (q - 8)}. */
    Q4_0(2, 32, 18, SimpleBlocks::q40, 0),
    /** 4-bit q: {@code d * q + m}. */
    Q4_1(3, 32, 20, SimpleBlocks::q41, 0, 2),
    /** 5-bit q: {@code d * (q - 16)}. */
    Q5_0(6, 32, 22, SimpleBlocks::q50, 0),
    /** 5-bit q: {@code d * q + m}. */
    Q5_1(7, 32, 24, SimpleBlocks::q51, 0, 2),
    /** Signed 8-bit q: {@code d * q}. */
    Q8_0(8, 32, 34, SimpleBlocks::q80, 0),
    /** 2-bit q in sixteen sub-blocks with 4-bit scales s and minima n: {@code d * s * q - dmin * n}. */
    Q2_K(10, 256, 84, SuperBlocks::q2k, 80, 82),
    /** 3-bit q in sixteen sub-blocks with 6-bit scales s: {@code d * (s - 32) * (q - 4)}. */
    Q3_K(11, 256, 110, SuperBlocks::q3k, 108),
    /** 4-bit q in eight sub-blocks with 6-bit scales s and minima n: {@code d * s * q - dmin * n}. */
    Q4_K(12, 256, 144, SuperBlocks::q4k, 0, 2),
    /** 5-bit q in eight sub-blocks with 6-bit scales s and minima n: {@code d * s * q - dmin * n}. */
    Q5_K(13, 256, 176, SuperBlocks::q5k, 0, 2),
    /** 6-bit q in sixteen sub-blocks with 8-bit scales s: {@code d * s * (q - 32)}. */
    Q6_K(14, 256, 210, SuperBlocks::q6k, 208),
    /** 4-bit floats q of OCP's microscaling format with a power of two as their scale: {@code 2^(e - 127) * q}. */
    MXFP4(39, 32, 17, SimpleBlocks::mxfp4);

    /** What is copied to the heap at a time: well inside the first-level cache with its floats. */
    private static final int TILE_BYTES = 1 << 12;

    private final int ggmlId;
    private final int blockSize;
    private final int blockBytes;
    private final Decoder decoder;
    /** Where in a block its half-precision numbers stand; all others are whole. */
    private final int[] halves;

    BlockType(int ggmlId, int blockSize, int blockBytes, Decoder decoder, int... halves) {
        this.halves = halves;
        this.ggmlId = ggmlId;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
        this.decoder = decoder;
    }

    /** Where encoded bytes come from. */
    @FunctionalInterface
    public interface ByteSource {
        /**
         * Copies bytes to the heap.
         *
         * @param position where in the source to begin
         * @param target where the bytes go
         * @param offset where in the target to begin
         * @param length how many bytes
         */
        void get(long position, byte[] target, int offset, int length);
    }

    /** Decodes whole blocks from the start of {@code source}. */
    @FunctionalInterface
    interface Decoder {
        void decode(byte[] source, int blocks, float[] target, int offset);
    }

    /**
     * The type with this number in a GGUF file.
     *
     * @return the type, or empty where it is not supported
     */
    public static Optional<BlockType> ofGgml(long id) {
        for (BlockType type : values()) {
            if (type.ggmlId == id) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** The type's number in a GGUF file. */
    public int ggmlId() {
        return ggmlId;
    }

    /**
     * How many values a block holds.
     *
     * @return 1 for plain floats
     */
    public int blockSize() {
        return blockSize;
    }

    /** How many bytes a block takes. */
    public int blockBytes() {
        return blockBytes;
    }

    /**
     * Whether values share scales. Plain floats do not.
     *
     * @return true for the types with blocks of more than one value
     */
    public boolean isQuantized() {
        return blockSize > 1;
    }

    /**
     * How many bytes this many values take.
     *
     * @param elements a multiple of {@link #blockSize()}
     * @throws IllegalArgumentException when the number is negative or not a multiple of the block size
     * @throws ArithmeticException when the size is more than a {@code long} holds
     */
    public long bytes(long elements) {
        if (elements < 0 || elements % blockSize != 0) {
            throw new IllegalArgumentException(
                    elements + " values are not a whole number of " + this + " blocks of " + blockSize);
        }
        return Math.multiplyExact(elements / blockSize, (long) blockBytes);
    }

    /**
     * Decodes values that a buffer holds; the first block begins at index 0 whatever the buffer's position.
     *
     * @param source the encoded blocks
     * @param first the first value to decode; it may lie inside a block
     * @param target where the values go
     * @param offset where in the target to begin
     * @param count how many values
     * @throws IndexOutOfBoundsException when the range leaves the source or the target
     */
    public void dequantize(ByteBuffer source, long first, float[] target, int offset, int count) {
        dequantize((position, bytes, at, length) -> source.get(Math.toIntExact(position), bytes, at, length),
                first, target, offset, count);
    }

    /**
     * Decodes values that lie at a raw address. The address is not checked.
     *
     * @param address where the first block begins
     * @param first the first value to decode; it may lie inside a block
     * @param target where the values go
     * @param offset where in the target to begin
     * @param count how many values
     * @throws IndexOutOfBoundsException when the range leaves the target
     */
    public void dequantize(long address, long first, float[] target, int offset, int count) {
        dequantize((position, bytes, at, length) -> NativeMemory.read(address + position, bytes, at, length),
                first, target, offset, count);
    }

    /**
     * Decodes whole blocks that are on the heap already.
     *
     * @param source the encoded blocks, the first at index 0
     * @param blocks how many blocks
     * @param target where the values go
     * @param offset where in the target to begin
     * @throws IndexOutOfBoundsException when the blocks leave the source or their values the target
     */
    public void decode(byte[] source, int blocks, float[] target, int offset) {
        Objects.checkFromIndexSize(0, blocks * blockBytes, source.length);
        Objects.checkFromIndexSize(offset, blocks * blockSize, target.length);
        decoder.decode(source, blocks, target, offset);
    }

    /**
     * Whether the values of whole blocks are numbers, neither infinite nor NaN. Of blocks with scales only those are
     * looked at, and of plain floats eight bytes at a time.
     *
     * @param source the encoded blocks, the first at index 0
     * @param blocks how many blocks
     */
    public boolean isFinite(byte[] source, int blocks) {
        Objects.checkFromIndexSize(0, blocks * blockBytes, source.length);
        if (this == F32) {
            return FloatBlocks.isFinite(source, blocks * blockBytes, 0x7F800000_7F800000L, 0x00800000_00800000L);
        }
        if (this == BF16) {
            return FloatBlocks.isFinite(source, blocks * blockBytes, 0x7F807F80_7F807F80L, 0x00800080_00800080L);
        }
        if (this == MXFP4) {
            return SimpleBlocks.isFiniteMxfp4(source, blocks);
        }
        for (int half : halves) {
            for (int i = half; i < blocks * blockBytes; i += blockBytes) {
                if ((source[i + 1] & 0x7C) == 0x7C) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Decodes values from any source of bytes, tile by tile over the heap, where plain Java is fast.
     *
     * @param source the encoded blocks, the first at position 0
     * @param first the first value to decode; it may lie inside a block
     * @param target where the values go
     * @param offset where in the target to begin
     * @param count how many values
     * @throws IndexOutOfBoundsException when the range leaves the target
     */
    public void dequantize(ByteSource source, long first, float[] target, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, target.length);
        if (first < 0) {
            throw new IndexOutOfBoundsException("Value " + first + " does not exist; the first is 0");
        }
        int tileBlocks = Math.min(TILE_BYTES / blockBytes, count / blockSize + 1);
        byte[] tile = new byte[tileBlocks * blockBytes];
        for (int done = 0; done < count;) {
            long position = (first + done) / blockSize * blockBytes;
            int skip = (int) ((first + done) % blockSize);
            int blocks = Math.min(tileBlocks, (count - done) / blockSize);
            if (skip != 0 || blocks == 0) {
                source.get(position, tile, 0, blockBytes);
                float[] block = new float[blockSize];
                decoder.decode(tile, 1, block, 0);
                int n = Math.min(blockSize - skip, count - done);
                System.arraycopy(block, skip, target, offset + done, n);
                done += n;
            } else {
                source.get(position, tile, 0, blocks * blockBytes);
                decoder.decode(tile, blocks, target, offset + done);
                done += blocks * blockSize;
            }
        }
    }
}
