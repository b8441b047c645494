package io.peft4j.parquet.internal;

import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.schema.MessageType;

/** The pages of the columns of a group of rows. */
final class RowGroupPages implements PageReadStore {
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
