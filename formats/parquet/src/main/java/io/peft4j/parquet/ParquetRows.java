package io.peft4j.parquet;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.RowSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
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

        /** Checks that the rows that were read are all that the columns hold. */
        void requireEnd() {
            columns.values().forEach(ColumnPages::requireEnd);
        }
    }
}
