package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.JsonLines;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The rows of a file, one after the other, with constant memory. A row that is none does not end the file, where the
 * next one can be told apart.
 */
public interface RowSource extends AutoCloseable {
    /**
     * Opens a file: JSON Lines, one JSON list of objects, CSV or TSV, or a handbook in Markdown or HTML, whose sections
     * become rows for people to fill; compressed with gzip or zstd or not. All but JSON are told by the name's ending,
     * a JSON list by its bracket.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    static RowSource open(Path file) {
        String name = DataFiles.plainName(file);
        if (name.endsWith(".csv") || name.endsWith(".tsv")) {
            return new CsvRows(file, name.endsWith(".tsv") ? '\t' : ',');
        }
        if (name.endsWith(".md") || name.endsWith(".markdown") || name.endsWith(".html") || name.endsWith(".htm")) {
            return new HandbookRows(file, name.contains(".htm"));
        }
        return name.endsWith(".json") && JsonArrayRows.beginsWithBracket(file) ? new JsonArrayRows(file)
                : new JsonLineRows(file);
    }

    /** Opens a file of JSON Lines, whatever its name is. */
    static RowSource jsonLines(Path file) {
        return new JsonLineRows(file);
    }

    /**
     * The next row; empty at the end.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    Optional<Entry> next();

    @Override
    void close();

    /**
     * A row, or what stands in place of one.
     *
     * @param line its line, from 1
     * @param row the row, where it is one
     * @param fault what is wrong otherwise
     */
    record Entry(long line, Optional<JsonLines.Row> row, Optional<RowFault> fault) {
        static Entry of(JsonLines.Row row) {
            return new Entry(row.line(), Optional.of(row), Optional.empty());
        }

        static Entry wrong(String code, DataException e) {
            return new Entry(e.line(), Optional.empty(),
                    Optional.of(new RowFault(code, true, e.column(), e.problem())));
        }

        /** The fault as an exception that names file, line and column. */
        public DataException exception(Path file) {
            RowFault what = fault.orElseThrow();
            return new DataException(file, line, what.column(), what.message(), null);
        }
    }
}
