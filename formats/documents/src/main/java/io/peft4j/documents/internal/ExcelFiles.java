package io.peft4j.documents.internal;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.RowSource;

/**
 * Spreadsheets in XLSX: where the columns are those of a format, or are given its names, a row for each row as in CSV,
 * else a handbook whose headings are the names of the sheets. Rows name their {@code sheet}.
 */
public final class ExcelFiles implements FileType {
    @Override
    public String ending() {
        return ".xlsx";
    }

    @Override
    public RowSource open(DataFile file) {
        return Documents.read(file.path(), (path, sections) -> new ExcelSheets(file, sections).read());
    }
}
