package io.peft4j.core.safetensors;

import io.peft4j.core.weight.BlockType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** Converts the elements of a tensor to floats; types wider than a float are rounded to the nearest one. */
final class ElementReader {
    private static final int TILE_BYTES = 1 << 13;

    private ElementReader() {
    }

    /** Reads a range that the caller has checked; the source's position 0 is the tensor's first byte. */
    static void read(DType type, BlockType.ByteSource source, long first, float[] target, int offset, int count) {
        Optional<BlockType> plain = type.blockType();
        if (plain.isPresent()) {
            plain.get().dequantize(source, first, target, offset, count);
            return;
        }
        int step = TILE_BYTES / type.bytes();
        byte[] tile = new byte[Math.min(step, count) * type.bytes()];
        ByteBuffer elements = ByteBuffer.wrap(tile).order(ByteOrder.LITTLE_ENDIAN);
        for (int done = 0; done < count; done += step) {
            int n = Math.min(step, count - done);
            source.get((first + done) * type.bytes(), tile, 0, n * type.bytes());
            for (int i = 0; i < n; i++) {
                target[offset + done + i] = element(type, elements, i);
            }
        }
    }

    private static float element(DType type, ByteBuffer elements, int i) {
        return switch (type) {
            case F64 -> (float) elements.getDouble(8 * i);
            case I64 -> elements.getLong(8 * i);
            case I32 -> elements.getInt(4 * i);
            case I16 -> elements.getShort(2 * i);
            case I8 -> elements.get(i);
            case U8 -> elements.get(i) & 255;
            case BOOL -> elements.get(i) == 0 ? 0 : 1;
            case F32, F16, BF16 -> throw new AssertionError(type + " is decoded as a block type");
        };
    }
}
