package io.peft4j.parquet;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.RowSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongBiFunction;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Util;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;

/**
 * The rows of a Parquet file, numbered from 1. What is damaged ends the file: after it nothing can be told apart.
 */
final class ParquetRows implements RowSource {
    private static final String CODE = "invalid_parquet";

    private final Path file;
    private final FileChannel channel;
    private Optional<Groups> groups = Optional.empty();
    private Optional<Expansion> expansion = Optional.empty();
    private boolean ended;
    private long row;

    ParquetRows(Path file) {
        this.file = file;
        try {
            this.channel = FileChannel.open(file);
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
    }

    /** The groups of rows of a file, one after the other. */
    private final class Groups {
        private final MessageType schema;
        private final MessageColumnIO columns;
        private final Iterator<BlockMetaData> blocks;
        private Optional<RowGroupPages> pages = Optional.empty();
        private Optional<RecordReader<Group>> records = Optional.empty();
        private long left;

        Groups(ParquetMetadata footer) {
            schema = footer.getFileMetaData().getSchema();
            blocks = footer.getBlocks().iterator();
            columns = new ColumnIOFactory(footer.getFileMetaData().getCreatedBy()).getColumnIO(schema);
        }

        Optional<Group> next() {
            while (left == 0) {
                pages.ifPresent(RowGroupPages::requireEnd);
                if (!blocks.hasNext()) {
                    return Optional.empty();
                }
                RowGroupPages next = new RowGroupPages(channel, blocks.next(), schema);
                pages = Optional.of(next);
                left = next.getRowCount();
                records = left == 0 ? Optional.empty()
                        : Optional.of(columns.getRecordReader(next, new GroupRecordConverter(schema)));
            }
            left--;
            return Optional.of(records.orElseThrow().read());
        }
    }

    @Override
    public Optional<DataRow> next() throws IOException {
        if (ended) {
            return Optional.empty();
        }
        Optional<Group> group;
        try {
            if (groups.isEmpty()) {
                groups = Optional.of(new Groups(Footer.read(channel)));
                expansion = Optional.of(new Expansion(channel.size()));
            }
            group = groups.get().next();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (RuntimeException e) {
            // Whatever it is that the library makes of bytes that are not Parquet.
            ended = true;
            return Optional.of(wrong(row + 1, e));
        }
        ended = group.isEmpty();
        row++;
        return group.map(this::entry);
    }

    private DataRow entry(Group group) {
        try {
            return new DataRow(file, row, new RowValues(expansion.orElseThrow()).of(group));
        } catch (DamageException e) {
            ended = expansion.orElseThrow().isExceeded();
            return ended ? wrong(row, e)
                    : DataRow.broken("wrong_encoding", new DataException(file, row, e.getMessage()));
        } catch (DateTimeException | ArithmeticException e) {
            return DataRow.broken(CODE, new DataException(file, row, 0, "has an invalid date or time: "
                    + e.getMessage(), e));
        } catch (RuntimeException e) {
            // The library cuts some texts out of their page only when they are asked for.
            ended = true;
            return wrong(row, e);
        }
    }

    private DataRow wrong(long number, RuntimeException e) {
        String reason = e instanceof DamageException ? e.getMessage()
                : "is damaged: " + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
        return DataRow.broken(CODE, new DataException(file, number, 0, reason.strip().replaceAll("\\s*\\R\\s*", " ")
                + (number == 1 ? "" : "; nothing from row " + number + " on was read"), e));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** The pages of the columns of a group of rows. */
    private static final class RowGroupPages implements PageReadStore {
        private final long rows;
        private final Map<List<String>, ColumnPages> columns = new LinkedHashMap<>();

        RowGroupPages(FileChannel channel, BlockMetaData block, MessageType schema) {
            this.rows = block.getRowCount();
            for (ColumnChunkMetaData chunk : block.getColumns()) {
                String[] path = chunk.getPath().toArray();
                columns.put(Arrays.asList(path), new ColumnPages(channel, chunk, schema.getColumnDescription(path)));
            }
        }

        @Override
        public PageReader getPageReader(ColumnDescriptor column) {
            ColumnPages pages = columns.get(Arrays.asList(column.getPath()));
            if (pages == null) {
                throw new DamageException("has a group of rows without the column "
                        + String.join(".", column.getPath()));
            }
            return pages;
        }

        @Override
        public long getRowCount() {
            return rows;
        }

        /** Checks that the rows that were read are all rows of the columns. */
        void requireEnd() {
            columns.values().forEach(ColumnPages::requireEnd);
        }
    }

    /**
     * Reads the end of a Parquet file, and checks what it says of the rest before anything trusts it.
     */
    private static final class Footer {
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
         * @throws DamageException when the file is not a Parquet file, cut off or encrypted, or places lie outside of
         *     it
         */
        static ParquetMetadata read(FileChannel channel) throws IOException {
            long size = channel.size();
            if (size < MAGIC + TAIL || !letters(channel, 0).equals("PAR1")) {
                throw new DamageException(
                        "is not a Parquet file: it does not begin with PAR1. Unpack a compressed file "
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
            Expansion.requireValues(sum(metadata, (block, chunk) -> Math.max(0, chunk.getValueCount() - block
                    .getRowCount())), size);
            Expansion.requireCells(sum(metadata, (block, chunk) -> Math.multiplyExact(Math.max(1L, chunk
                    .getValueCount()), chunk.getPath().size())), size);
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

        /** Over all columns of all groups. In columns of lists each row has one value for nothing: an empty list. */
        private static long sum(ParquetMetadata metadata,
                ToLongBiFunction<BlockMetaData, ColumnChunkMetaData> values) {
            long sum = 0;
            for (BlockMetaData block : metadata.getBlocks()) {
                for (ColumnChunkMetaData chunk : block.getColumns()) {
                    sum = Math.addExact(sum, values.applyAsLong(block, chunk));
                }
            }
            return sum;
        }
    }
}
