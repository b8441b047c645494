package io.peft4j.core.gguf;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowEncoder;
import io.peft4j.core.weight.RowReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes GGUF files of version 3 with the default alignment, in one step: afterwards the file is either complete and
 * new, or what was there before. Metadata and tensors are written in the order in which they were given.
 */
public final class GgufWriter {
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;

    private final Map<String, byte[]> entries = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private record Tensor(BlockType type, long[] shape, Data data) {
        long length() {
            return type.bytes(Arrays.stream(shape).reduce(1, Math::multiplyExact));
        }
    }

    /** Writes the bytes of a tensor. */
    private interface Data {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Adds a text. */
    public GgufWriter string(String key, String value) {
        return entry(key, new Encoder().type(GgufType.STRING).string(value));
    }

    /**
     * Adds an unsigned 32-bit integer, the usual type of sizes and token ids.
     *
     * @param value its value, from 0 to 2^32 - 1
     * @throws IllegalArgumentException when the value is out of range
     */
    public GgufWriter uint32(String key, long value) {
        if (value < 0 || value > 0xffffffffL) {
            throw new IllegalArgumentException(key + " cannot be " + value + "; it must be from 0 to 4294967295");
        }
        return entry(key, new Encoder().type(GgufType.UINT32).u32(value));
    }

    /** Adds a 32-bit float. */
    public GgufWriter float32(String key, float value) {
        return entry(key, new Encoder().type(GgufType.FLOAT32).u32(Float.floatToRawIntBits(value)));
    }

    /** Adds a truth value. */
    public GgufWriter bool(String key, boolean value) {
        return entry(key, new Encoder().type(GgufType.BOOL).u8(value ? 1 : 0));
    }

    /** Adds a list of texts. */
    public GgufWriter strings(String key, List<String> values) {
        Encoder encoder = new Encoder().type(GgufType.ARRAY).type(GgufType.STRING).u64(values.size());
        values.forEach(encoder::string);
        return entry(key, encoder);
    }

    /** Adds a list of signed 32-bit integers. */
    public GgufWriter int32s(String key, int... values) {
        Encoder encoder = new Encoder().type(GgufType.ARRAY).type(GgufType.INT32).u64(values.length);
        Arrays.stream(values).forEach(encoder::u32);
        return entry(key, encoder);
    }

    /** Adds bytes, as a list of unsigned 8-bit integers. */
    public GgufWriter bytes(String key, byte[] values) {
        return entry(key, new Encoder().type(GgufType.ARRAY).type(GgufType.UINT8).u64(values.length).bytes(values));
    }

    /** Adds a list of truth values. */
    public GgufWriter bools(String key, boolean... values) {
        Encoder encoder = new Encoder().type(GgufType.ARRAY).type(GgufType.BOOL).u64(values.length);
        for (boolean value : values) {
            encoder.u8(value ? 1 : 0);
        }
        return entry(key, encoder);
    }

    /** Adds a list of 32-bit floats. */
    public GgufWriter float32s(String key, float... values) {
        Encoder encoder = new Encoder().type(GgufType.ARRAY).type(GgufType.FLOAT32).u64(values.length);
        for (float value : values) {
            encoder.u32(Float.floatToRawIntBits(value));
        }
        return entry(key, encoder);
    }

    /**
     * Adds a tensor. The buffer is read when the file is written; its position is not moved.
     *
     * @param type how its values are encoded
     * @param shape its dimensions as PyTorch gives them, [out, in]; at most four
     * @param bytes the encoded values from the buffer's position to its limit
     * @throws IllegalArgumentException when the number of bytes is not what type and shape need, or the rows are not a
     *     whole number of blocks
     */
    public GgufWriter tensor(String name, BlockType type, long[] shape, ByteBuffer bytes) {
        long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        long row = shape.length == 0 ? 1 : shape[shape.length - 1];
        if (shape.length > 4 || row % type.blockSize() != 0 || type.bytes(elements) != bytes.remaining()) {
            throw new IllegalArgumentException(name + ": " + bytes.remaining() + " bytes are not " + type
                    + Arrays.toString(shape) + " of at most four dimensions");
        }
        tensors.put(name, new Tensor(type, shape.clone(), out -> {
            byte[] copy = new byte[bytes.remaining()];
            bytes.duplicate().get(copy);
            out.write(copy);
        }));
        return this;
    }

    /**
     * Adds a tensor whose values are read row by row when the file is written, so that none is held twice.
     *
     * @param type how its values are encoded, one of {@link RowEncoder#TYPES}
     * @param shape the last dimension is the length of a row, the product of the others the number of rows
     * @param rows gives the values
     * @throws IllegalArgumentException when the type cannot be written or a row is not a whole number of blocks
     */
    public GgufWriter tensor(String name, BlockType type, long[] shape, RowReader rows) {
        int columns = Math.toIntExact(shape[shape.length - 1]);
        int count = Math.toIntExact(Arrays.stream(shape, 0, shape.length - 1).reduce(1, Math::multiplyExact));
        RowEncoder encoder = new RowEncoder(type, columns);
        tensors.put(name, new Tensor(type, shape.clone(), out -> {
            float[] row = new float[columns];
            for (int i = 0; i < count; i++) {
                rows.readRow(i, row);
                out.write(encoder.encode(row));
            }
        }));
        return this;
    }

    /**
     * Writes the file.
     *
     * @throws java.io.UncheckedIOException when the file cannot be written; the old one, if any, is unchanged
     */
    public void write(Path file) {
        byte[] head = head();
        AtomicFiles.write(file, out -> {
            out.write(head);
            pad(out, head.length);
            for (Tensor tensor : tensors.values()) {
                tensor.data().writeTo(out);
                pad(out, tensor.length());
            }
        });
    }

    private byte[] head() {
        Encoder encoder = new Encoder();
        encoder.bytes("GGUF".getBytes(StandardCharsets.US_ASCII)).u32(VERSION).u64(tensors.size()).u64(entries.size());
        entries.forEach((key, value) -> encoder.string(key).bytes(value));
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            encoder.string(entry.getKey()).u32(tensor.shape().length);
            for (int i = tensor.shape().length - 1; i >= 0; i--) {
                encoder.u64(tensor.shape()[i]);
            }
            encoder.u32(tensor.type().ggmlId()).u64(offset);
            offset += (tensor.length() + ALIGNMENT - 1L) / ALIGNMENT * ALIGNMENT;
        }
        return encoder.out.toByteArray();
    }

    private GgufWriter entry(String key, Encoder value) {
        entries.put(key, value.out.toByteArray());
        return this;
    }

    private static void pad(OutputStream out, long written) throws IOException {
        out.write(new byte[(int) ((ALIGNMENT - written % ALIGNMENT) % ALIGNMENT)]);
    }

    /** Appends values as the format has them. */
    private static final class Encoder {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Encoder bytes(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        Encoder u8(int value) {
            out.write(value);
            return this;
        }

        Encoder u32(long value) {
            return bytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt((int) value).array());
        }

        Encoder u64(long value) {
            return bytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        Encoder type(GgufType type) {
            return u32(type.ordinal());
        }

        Encoder string(String value) {
            byte[] text = value.getBytes(StandardCharsets.UTF_8);
            return u64(text.length).bytes(text);
        }
    }
}
