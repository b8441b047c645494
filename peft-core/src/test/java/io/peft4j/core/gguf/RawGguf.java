package io.peft4j.core.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Puts GGUF files together value by value, also ones that no writer would make. */
final class RawGguf {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** The head of a file of version 3. */
    static RawGguf head(long tensors, long entries) {
        return new RawGguf().ascii("GGUF").u32(3).u64(tensors).u64(entries);
    }

    RawGguf ascii(String text) {
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    RawGguf bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    RawGguf u32(long value) {
        out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt((int) value).array());
        return this;
    }

    RawGguf u64(long value) {
        out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        return this;
    }

    RawGguf string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        u64(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** A key and the number of its type. */
    RawGguf key(String key, int type) {
        return string(key).u32(type);
    }

    /** An entry of the list of tensors, dimensions in the order of the file. */
    RawGguf tensor(String name, int type, long offset, long... dimensions) {
        string(name).u32(dimensions.length);
        for (long dimension : dimensions) {
            u64(dimension);
        }
        return u32(type).u64(offset);
    }

    /** Fills up to a multiple of 32, then so many bytes of data. */
    RawGguf data(int bytes) {
        out.writeBytes(new byte[(32 - out.size() % 32) % 32]);
        out.writeBytes(new byte[bytes]);
        return this;
    }

    byte[] toBytes() {
        return out.toByteArray();
    }
}
