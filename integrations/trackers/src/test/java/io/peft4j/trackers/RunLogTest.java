package io.peft4j.trackers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.trackers.WandbTracker.RunLog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records end and begin anywhere in a block. */
class RunLogTest {
    private static final int BLOCK = 32_768;
    private static final int HEAD = 7;
    private static final int FULL = 1;
    private static final int FIRST = 2;
    private static final int MIDDLE = 3;
    private static final int LAST = 4;

    /** The records of a log, read by the rules of LevelDB's format. */
    private static List<byte[]> records(byte[] log) {
        ByteBuffer in = ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN).position(HEAD);
        List<byte[]> records = new ArrayList<>();
        ByteArrayOutputStream record = null;
        while (in.hasRemaining()) {
            int left = BLOCK - in.position() % BLOCK;
            if (left < HEAD) {
                in.position(in.position() + left);
            }
            in.getInt();
            int length = in.getShort() & 0xFFFF;
            int type = in.get();
            assertTrue(length <= BLOCK - in.position() % BLOCK || in.position() % BLOCK == 0 && length == 0,
                    "a piece ends in its block");
            assertEquals(type == FULL || type == FIRST, record == null, "type " + type + " at " + in.position());
            assertTrue(type == FULL || type == FIRST || type == MIDDLE || type == LAST, "type " + type);
            record = record == null ? new ByteArrayOutputStream() : record;
            byte[] piece = new byte[length];
            in.get(piece);
            record.writeBytes(piece);
            if (type == FULL || type == LAST) {
                records.add(record.toByteArray());
                record = null;
            }
        }
        assertEquals(null, record, "a record that does not end");
        return records;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 6, 7, 8, 9, 15, 16, 17, 18})
    void recordsAreReadAgainWhateverIsLeftOfTheBlock(int left) throws IOException {
        List<byte[]> written = new ArrayList<>();
        for (int length : new int[] {BLOCK - 2 * HEAD - left, 10, 0, 2 * BLOCK + 3, 1}) {
            byte[] record = new byte[length];
            Arrays.fill(record, (byte) (written.size() + 1));
            written.add(record);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (RunLog log = new RunLog(out)) {
            for (byte[] record : written) {
                log.write(record);
            }
        }
        List<byte[]> read = records(out.toByteArray());
        assertEquals(written.size(), read.size());
        for (int i = 0; i < read.size(); i++) {
            assertArrayEquals(written.get(i), read.get(i));
        }
    }
}
