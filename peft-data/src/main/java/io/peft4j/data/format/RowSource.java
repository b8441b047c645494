package io.peft4j.data.format;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.format.support.DataFiles;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/**
 * The rows of a file, one after the other, with constant memory. An invalid row does not end the file, where the
 * next one can be told apart.
 */
public interface RowSource extends AutoCloseable {
    /**
     * Opens a file: JSON Lines, one JSON list of objects, CSV (with commas, or with semicolons as German Excel writes
     * it) or TSV, or a handbook in Markdown or HTML, whose sections become rows for people to fill; compressed with
     * gzip or zstd or not. All but JSON are recognized by the file's extension, a JSON list by its bracket. Other
     * modules add other types ({@link FileType}): peft-parquet Parquet, peft-documents PDF, DOCX and XLSX.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     * @throws ConfigurationException when the module that reads such a file is not there
     */
    static RowSource open(DataFile file) {
        RowSource rows = ofType(file);
        return file.columns().isEmpty() ? rows : new RenamedRows(file, rows);
    }

    /** Opens a file that is read as what it looks like. */
    static RowSource open(Path file) {
        return open(DataFile.of(file));
    }

    private static RowSource ofType(DataFile file) {
        String name = DataFiles.plainName(file.path());
        for (FileType type : ServiceLoader.load(FileType.class, RowSource.class.getClassLoader())) {
            if (name.endsWith(type.ending())) {
                return type.open(requireNoText(file));
            }
        }
        DataFiles.OTHER_MODULES.forEach((ending, module) -> {
            if (name.endsWith(ending)) {
                throw new ConfigurationException("reading " + file + " needs the module " + module + ", which "
                        + "is not on the class path; add the dependency io.peft4j:" + module + ", or save the data as "
                        + (ending.equals(".parquet") ? "JSON Lines" : ending.equals(".xlsx") ? "CSV in UTF-8"
                                : "Markdown (.md) or HTML (.html)"));
            }
        });
        if (name.endsWith(".csv") || name.endsWith(".tsv")) {
            return new CsvRows(file, name.endsWith(".tsv"));
        }
        if (name.endsWith(".md") || name.endsWith(".markdown") || name.endsWith(".html") || name.endsWith(".htm")) {
            return HandbookRows.open(file, name.contains(".htm"));
        }
        InputStream in = DataFiles.text(file);
        boolean list = (name.endsWith(".json") || name.equals("-")) && JsonArrayRows.beginsWithBracket(file, in);
        return list ? new JsonArrayRows(file, in) : new JsonLineRows(file, in);
    }

    private static DataFile requireNoText(DataFile file) {
        if (file.encoding().isPresent()) {
            throw new ConfigurationException("the encoding " + file.encoding().get() + " is given for " + file
                    + ", which is not a text file");
        }
        return file;
    }

    /**
     * Reads all rows up to the first fault.
     *
     * @param file the file
     * @param action told of each row, in their order
     * @return the number of rows
     * @throws DataException when a row cannot be read: with file, line and column
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    static long read(DataFile file, Consumer<JsonLines.Row> action) {
        try (OpenRows rows = OpenRows.open(file)) {
            return rows.forEach(action);
        }
    }

    /** Opens a file of JSON Lines, whatever its name is. */
    static RowSource jsonLines(Path file) {
        return new JsonLineRows(DataFile.of(file), DataFiles.text(DataFile.of(file)));
    }

    /** What stands on a line of a file of JSON Lines. */
    static Entry jsonLine(Path file, long line, String text) {
        try {
            return Entry.of(new JsonLines.Row(file, line, JsonText.object(file, line, text)));
        } catch (DataException e) {
            return Entry.wrong("invalid_json", e);
        }
    }

    /**
     * The next row; empty at the end.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    Optional<Entry> next();

    /** How the file is laid out, where it is a CSV or TSV file whose first row has been read. */
    default Optional<TableLayout> layout() {
        return Optional.empty();
    }

    @Override
    void close();

    /**
     * A row, or what stands in place of one.
     *
     * @param line its line, from 1; in a file without lines the number of the row
     * @param row the row, where it is one
     * @param fault what is wrong otherwise
     */
    record Entry(long line, Optional<JsonLines.Row> row, Optional<RowFault> fault) {
        /** A row. */
        public static Entry of(JsonLines.Row row) {
            return new Entry(row.line(), Optional.of(row), Optional.empty());
        }

        /**
         * Something that is not a row.
         *
         * @param code what is wrong, a code of {@code peft4j data check}
         * @param e where and how
         */
        public static Entry wrong(String code, DataException e) {
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
