package io.peft4j.parquet;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Util;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.schema.MessageType;

/** Reads what stands at the end of a Parquet file, and checks what it says of the rest before anything trusts it. */
final class Footer {
    private static final int MAGIC = 4;
    /** Length of the footer and the letters at the end. */
    private static final int TAIL = 8;
    private static final int LARGEST = 256 << 20;
    private static final int DEEPEST = 100;

    private Footer() {
    }

    /**
     * Reads the footer.
     *
     * @throws DamageException when the file is not a Parquet file, cut off or encrypted, or places lie outside of it
     */
    static ParquetMetadata read(FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < MAGIC + TAIL || !letters(channel, 0).equals("PAR1")) {
            throw new DamageException("is not a Parquet file: it does not begin with PAR1. Unpack a compressed file "
                    + "first");
        }
        String end = letters(channel, size - MAGIC);
        if (end.equals("PARE")) {
            throw new DamageException("is an encrypted Parquet file, which is not supported");
        }
        if (!end.equals("PAR1")) {
            throw new DamageException("does not end as a Parquet file does; it was cut off");
        }
        int length = bytes(channel, size - TAIL, Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (length <= 0 || length > Math.min(LARGEST, size - MAGIC - TAIL)) {
            throw new DamageException("says that its footer has " + length + " of its " + size + " bytes");
        }
        byte[] footer = bytes(channel, size - TAIL - length, length).array();
        FileMetaData data = parsed(footer);
        requireFlat(data.getSchema());
        ParquetMetadata metadata = new ParquetMetadataConverter().fromParquetMetadata(data);
        check(metadata, data.getNum_rows(), size - TAIL - length);
        Expansion.requireRows(data.getNum_rows(), size);
        Expansion.requireValues(valuesInLists(metadata), size);
        return metadata;
    }

    private static FileMetaData parsed(byte[] footer) {
        try {
            // No text and no list in it can be longer than itself.
            return Util.readFileMetaData(new ByteArrayInputStream(footer), footer.length);
        } catch (IOException e) {
            throw new DamageException("has a footer that cannot be read: " + e.getMessage());
        }
    }

    private static String letters(FileChannel channel, long from) throws IOException {
        return new String(bytes(channel, from, MAGIC).array(), StandardCharsets.ISO_8859_1);
    }

    /** Bytes of the file. */
    static ByteBuffer bytes(FileChannel channel, long from, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, from + bytes.position()) < 0) {
                throw new DamageException("ends before byte " + (from + length));
            }
        }
        return bytes.flip();
    }

    /** A tree is read by recursion, so that one without end must not come to that. */
    private static void requireFlat(List<SchemaElement> schema) {
        Deque<Integer> open = new ArrayDeque<>();
        for (SchemaElement element : schema) {
            while (!open.isEmpty() && open.peek() == 0) {
                open.pop();
            }
            if (!open.isEmpty()) {
                open.push(open.pop() - 1);
            }
            open.push(Math.max(0, element.getNum_children()));
            if (open.size() > DEEPEST) {
                throw new DamageException("has columns that are nested more than " + DEEPEST + " levels deep");
            }
        }
    }

    private static void check(ParquetMetadata metadata, long rows, long end) {
        MessageType schema = metadata.getFileMetaData().getSchema();
        if (schema.getColumns().isEmpty()) {
            throw new DamageException("has no columns");
        }
        long sum = 0;
        for (BlockMetaData block : metadata.getBlocks()) {
            if (block.getRowCount() < 0) {
                throw new DamageException("has a group of " + block.getRowCount() + " rows");
            }
            sum = Math.addExact(sum, block.getRowCount());
            block.getColumns().forEach(chunk -> check(chunk, block.getRowCount(), schema, end));
        }
        if (sum != rows) {
            throw new DamageException("says that it has " + rows + " rows, but its groups have " + sum);
        }
    }

    private static void check(ColumnChunkMetaData chunk, long rows, MessageType schema, long end) {
        long from = chunk.getStartingPos();
        if (from < MAGIC || chunk.getTotalSize() < 0 || chunk.getTotalSize() > end - from) {
            throw new DamageException("says that the column " + chunk.getPath().toDotString() + " has "
                    + chunk.getTotalSize() + " bytes from byte " + from + " on, which lie outside of the data");
        }
        ColumnDescriptor column = schema.getColumnDescription(chunk.getPath().toArray());
        if (column.getMaxRepetitionLevel() == 0 && chunk.getValueCount() != rows) {
            throw new DamageException("has " + chunk.getValueCount() + " values of the column "
                    + chunk.getPath().toDotString() + " in a group of " + rows + " rows");
        }
    }

    /** The values of the columns of lists, where each row has one for nothing: an empty list is one, too. */
    private static long valuesInLists(ParquetMetadata metadata) {
        long sum = 0;
        for (BlockMetaData block : metadata.getBlocks()) {
            for (ColumnChunkMetaData chunk : block.getColumns()) {
                sum = Math.addExact(sum, Math.max(0, chunk.getValueCount() - block.getRowCount()));
            }
        }
        return sum;
    }
}
