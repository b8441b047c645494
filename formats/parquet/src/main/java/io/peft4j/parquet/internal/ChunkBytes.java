package io.peft4j.parquet.internal;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Objects;

/** A part of a file as a stream; the place of the channel does not matter. */
final class ChunkBytes extends InputStream {
    private static final int BUFFER = 1 << 16;

    private final FileChannel channel;
    private final ByteBuffer buffer;
    private final long end;
    private long next;
    private boolean failed;

    ChunkBytes(FileChannel channel, long from, long length) {
        this.channel = channel;
        this.next = from;
        this.end = from + length;
        this.buffer = ByteBuffer.allocate((int) Math.min(BUFFER, Math.max(1, length))).flip();
    }

    /** How many bytes are left. */
    long left() {
        return end - next + buffer.remaining();
    }

    /** Whether the file could not be read, rather than being damaged. */
    boolean failed() {
        return failed;
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, left());
    }

    @Override
    public int read() throws IOException {
        return buffer.hasRemaining() || fill() ? buffer.get() & 0xFF : -1;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        Objects.checkFromIndexSize(from, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        if (!buffer.hasRemaining() && !fill()) {
            return -1;
        }
        int count = Math.min(length, buffer.remaining());
        buffer.get(bytes, from, count);
        return count;
    }

    private boolean fill() throws IOException {
        if (next == end) {
            return false;
        }
        buffer.clear().limit((int) Math.min(buffer.capacity(), end - next));
        int count;
        try {
            count = channel.read(buffer, next);
        } catch (IOException e) {
            failed = true;
            throw e;
        }
        if (count <= 0) {
            buffer.flip();
            throw new EOFException("the file ends before byte " + end);
        }
        next += count;
        buffer.flip();
        return true;
    }
}
