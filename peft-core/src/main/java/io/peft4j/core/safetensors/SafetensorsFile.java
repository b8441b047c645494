package io.peft4j.core.safetensors;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.MappedFile;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorFile;
import io.peft4j.core.weight.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One safetensors file. Opening it checks the whole header: the tensors' bytes must fill the file without gaps or
 * overlaps. Tensors whose offset is not a multiple of their element size are read correctly; some writers make them.
 */
public final class SafetensorsFile extends TensorFile implements Safetensors {
    private final SafetensorsHeader header;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header) {
        super(file, header.tensors());
        this.header = header;
    }

    /**
     * Opens a file and reads its header.
     *
     * @throws FileFormatException when the file is truncated, damaged or hostile
     * @throws java.io.UncheckedIOException when it does not exist or cannot be read
     */
    public static SafetensorsFile open(Path path) {
        return MappedFile.open(path, file -> new SafetensorsFile(file, SafetensorsHeader.read(file)));
    }

    @Override
    public Map<String, String> metadata() {
        return header.metadata();
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        TensorInfo info = info(name);
        DType type = readable(info);
        Objects.checkFromIndexSize(first, (long) count, info.elements());
        Objects.checkFromIndexSize(offset, count, target.length);
        ElementReader.read(type, source(info), first, target, offset, count);
    }

    @Override
    public OptionalLong address(String name) {
        OptionalLong address = super.address(name);
        long alignment = DType.of(info(name).typeName()).map(DType::bytes).orElse(1);
        return address.isPresent() && address.getAsLong() % alignment != 0 ? OptionalLong.empty() : address;
    }

    private DType readable(TensorInfo info) {
        return DType.of(info.typeName()).orElseThrow(() -> new FileFormatException(path(), "tensor '" + info.name()
                + "' has elements of type " + info.typeName() + ", which is not supported; supported are "
                + Arrays.toString(DType.values())));
    }

    /** Converts the elements of a tensor to floats; types wider than a float are rounded to the nearest one. */
    private static final class ElementReader {
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
}
