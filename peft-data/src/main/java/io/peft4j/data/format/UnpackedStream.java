package io.peft4j.data.format;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.ZipException;

/**
 * What a compressed file unpacks to: up to 64 MiB, and beyond that up to {@value #TIMES} times the file's own length.
 * Data does not pack as well as that; what does is meant to fill memory or time.
 */
final class UnpackedStream extends FilterInputStream {
    private static final long FREE = 64L << 20;
    private static final int TIMES = 1000;

    private final long packed;
    private long left;

    UnpackedStream(InputStream in, long packed) {
        super(in);
        this.packed = packed;
        this.left = FREE + TIMES * packed;
    }

    @Override
    public int read() throws IOException {
        int next = super.read();
        count(next < 0 ? 0 : 1);
        return next;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        int read = super.read(bytes, from, length);
        count(read);
        return read;
    }

    private void count(int bytes) throws IOException {
        left -= Math.max(0, bytes);
        if (left < 0) {
            throw new ZipException("its " + packed + " bytes unpack to more than 64 MiB and " + TIMES
                    + " times their number");
        }
    }
}
