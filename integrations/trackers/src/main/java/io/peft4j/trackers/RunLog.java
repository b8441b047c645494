package io.peft4j.trackers;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;

/**
 * The log format of a Weights and Biases run: a header, then records in blocks of 32 KiB as LevelDB has them. A piece
 * of a record has a checksum (CRC-32 of its type and content), its length and its type; where a block has no room for
 * that head, it is filled with zeros.
 */
final class RunLog implements AutoCloseable {
    private static final int BLOCK = 32_768;
    private static final int HEAD = 7;
    private static final int FULL = 1;
    private static final int FIRST = 2;
    private static final int MIDDLE = 3;
    private static final int LAST = 4;
    private static final byte[] FILE_HEADER = {':', 'W', '&', 'B', (byte) 0xE1, (byte) 0xBE, 0};

    private final OutputStream out;
    private int inBlock;

    RunLog(OutputStream out) throws IOException {
        this.out = out;
        out.write(FILE_HEADER);
        inBlock = FILE_HEADER.length;
    }

    void write(byte... record) throws IOException {
        int from = 0;
        // A first piece may be empty: where a block has room for its head alone.
        boolean begun = false;
        boolean ends;
        do {
            if (BLOCK - inBlock < HEAD) {
                out.write(new byte[BLOCK - inBlock]);
                inBlock = 0;
            }
            int length = Math.min(record.length - from, BLOCK - inBlock - HEAD);
            ends = from + length == record.length;
            piece(begun ? ends ? LAST : MIDDLE : ends ? FULL : FIRST, record, from, length);
            begun = true;
            from += length;
        } while (!ends);
    }

    private void piece(int type, byte[] record, int from, int length) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(type);
        crc.update(record, from, length);
        out.write(ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN).putInt((int) crc.getValue())
                .putShort((short) length).put((byte) type).array());
        out.write(record, from, length);
        inBlock = (inBlock + HEAD + length) % BLOCK;
    }

    void flush() throws IOException {
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
