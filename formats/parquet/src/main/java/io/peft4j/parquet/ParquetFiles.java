package io.peft4j.parquet;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.RowSource;

/**
 * Files that end in {@code .parquet}. A row becomes an object with the names of its columns, as if it were JSON: a list
 * of structs a list of objects, a null a key that is not there, a date or time its text in ISO 8601. Pages are read one
 * by one, so that a page of each column alone is in memory. Compressed with snappy, gzip, zstd, lz4 (raw) or not.
 */
public final class ParquetFiles implements FileType {
    @Override
    public String ending() {
        return ".parquet";
    }

    @Override
    public RowSource open(DataFile file) {
        return new ParquetRows(file.path());
    }
}
