package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.Float16;
import io.peft4j.core.error.ConfigurationException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Encodes rows of floats, the way back from {@link BlockType#dequantize}. Plain floats are rounded to nearest even;
 * {@link BlockType#Q8_0} takes for each 32 values the scale {@code max|x| / 127}, as ggml's reference does; for the
 * types of 4 and 5 bits see {@link BlockScales}.
 */
@Internal(shared = true)
public final class RowEncoder {
    /** The types that can be written. */
    public static final List<BlockType> TYPES = List.of(BlockType.F32, BlockType.F16, BlockType.BF16, BlockType.Q8_0,
            BlockType.Q5_1, BlockType.Q5_0, BlockType.Q4_1, BlockType.Q4_0);

    private final BlockType type;
    private final int columns;
    private final ByteBuffer buffer;

    /**
     * An encoder of rows.
     *
     * @param type one of {@link #TYPES}
     * @param columns values a row, whole blocks of the type
     * @throws IllegalArgumentException when the type cannot be written or the row is not made of whole blocks
     */
    public RowEncoder(BlockType type, int columns) {
        this.type = Objects.requireNonNull(type, "type");
        this.columns = columns;
        if (!TYPES.contains(type) || columns % type.blockSize() != 0) {
            throw new IllegalArgumentException("rows of " + columns + " values cannot be written as " + type
                    + "; types that can be written are " + TYPES);
        }
        buffer = ByteBuffer.allocate(Math.toIntExact(type.bytes(columns))).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * A type that can be written, by its name in lower or upper case.
     *
     * @throws ConfigurationException when there is none
     */
    public static BlockType type(String name) {
        return TYPES.stream().filter(type -> type.name().equalsIgnoreCase(name)).findFirst().orElseThrow(
                () -> new ConfigurationException("the type is '" + name + "'; it must be one of " + TYPES.stream()
                        .map(type -> type.name().toLowerCase(Locale.ROOT)).toList()));
    }

    /**
     * Encodes a row.
     *
     * @param row its values
     * @return the bytes, in an array that the next call overwrites
     * @throws ConfigurationException when a value is too large for F16, or not finite in blocks
     */
    public byte[] encode(float[] row) {
        buffer.clear();
        switch (type) {
            case F32 -> buffer.asFloatBuffer().put(row, 0, columns);
            case BF16 -> {
                for (int i = 0; i < columns; i++) {
                    buffer.putShort(BFloat16.fromFloat(row[i]));
                }
            }
            case F16 -> {
                for (int i = 0; i < columns; i++) {
                    buffer.putShort(half(row[i]));
                }
            }
            case Q8_0 -> {
                for (int i = 0; i < columns; i += type.blockSize()) {
                    block(row, i);
                }
            }
            default -> {
                BlockScales scales = new BlockScales(type);
                for (int i = 0; i < columns; i += type.blockSize()) {
                    scales.encode(row, i, buffer);
                }
            }
        }
        return buffer.array();
    }

    private void block(float[] row, int from) {
        float max = 0;
        for (int i = from; i < from + type.blockSize(); i++) {
            max = Math.max(max, Math.abs(row[i]));
        }
        float scale = max / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        buffer.putShort(half(scale));
        for (int i = from; i < from + type.blockSize(); i++) {
            float q = row[i] * inverse;
            // Halves away from zero, as C's roundf.
            buffer.put((byte) (q < 0 ? -Math.floor(-q + 0.5) : Math.floor(q + 0.5)));
        }
    }

    static short half(float value) {
        short bits = Float16.fromFloat(value);
        if (!Float.isFinite(Float16.toFloat(bits))) {
            throw new ConfigurationException("the value " + value + " does not fit into a 16-bit float (at most "
                    + "65504); write BF16 or F32");
        }
        return bits;
    }

    /**
     * Encodes blocks of 32 values in 4 or 5 bits, byte for byte as ggml's reference: the scale is that of the largest
     * value, or with a minimum that of the range. Scales of a smaller squared error kept fewer facts of a tuning
     * (benchmarks/results.md).
     */
    private static final class BlockScales {
        private static final int SIZE = 32;

        private final boolean minimum;
        private final int levels;
        private final int[] q = new int[SIZE];

        /** An encoder of Q4_0, Q4_1, Q5_0 or Q5_1; for use by one thread. */
        BlockScales(BlockType type) {
            minimum = type == BlockType.Q4_1 || type == BlockType.Q5_1;
            levels = type == BlockType.Q4_0 || type == BlockType.Q4_1 ? 16 : 32;
        }

        /** Appends the block that begins at {@code from}. */
        void encode(float[] row, int from, ByteBuffer out) {
            float low = row[from];
            float high = row[from];
            float largest = row[from];
            for (int i = from + 1; i < from + SIZE; i++) {
                low = Math.min(low, row[i]);
                high = Math.max(high, row[i]);
                // The first of equal size counts.
                largest = Math.abs(row[i]) > Math.abs(largest) || Float.isNaN(row[i]) ? row[i] : largest;
            }
            float scale = minimum ? (high - low) / (levels - 1) : largest / -(levels / 2);
            out.putShort(RowEncoder.half(scale));
            if (minimum) {
                out.putShort(RowEncoder.half(low));
            }
            round(row, from, scale == 0 ? 0 : 1 / scale, minimum ? low : 0);
            write(out);
        }

        /** Rounds to numbers from 0 to {@code levels - 1}; halves go up. */
        private void round(float[] row, int from, float inverse, float low) {
            float middle = minimum ? 0.5f : levels / 2 + 0.5f;
            for (int i = 0; i < SIZE; i++) {
                q[i] = Math.max(0, Math.min(levels - 1, (int) ((row[from + i] - low) * inverse + middle)));
            }
        }

        private void write(ByteBuffer out) {
            if (levels > 16) {
                int fifth = 0;
                for (int i = 0; i < SIZE; i++) {
                    fifth |= (q[i] >> 4) << i;
                }
                out.putInt(fifth);
            }
            for (int i = 0; i < SIZE / 2; i++) {
                out.put((byte) (q[i] & 15 | (q[i + SIZE / 2] & 15) << 4));
            }
        }
    }
}
