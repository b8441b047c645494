package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rows of a file that is opened once, whose first one can be looked at before they are read: it says what they
 * are, also where a file can be read only once, as a pipe. A column that is to be renamed and that no row has is a
 * fault after the last row, unless the rows have the name that it would get.
 */
public final class OpenRows implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OpenRows.class);

    private DataFile file;
    private final RowSource rows;
    private final Set<String> unseenColumns;
    private final Set<String> keys = new LinkedHashSet<>();
    private final Optional<Map<String, Object>> first;
    private Optional<DataRow> ahead;
    private Consumer<DataRow> told = row -> {
    };
    private long line;
    private boolean ended;
    private boolean closed;

    private OpenRows(DataFile file, RowSource rows) {
        this.file = file;
        this.rows = rows;
        this.unseenColumns = new LinkedHashSet<>(file.columns().keySet());
        this.ahead = read();
        this.first = ahead.filter(row -> !row.isWrong()).map(DataRow::fields);
    }

    /**
     * Opens a file: JSON Lines, one JSON list of objects, CSV (with commas, or with semicolons as German Excel writes
     * it) or TSV, or a handbook in Markdown or HTML, whose sections become rows for people to fill, or a folder of
     * handbooks; compressed with gzip or zstd or not. All but JSON are recognized by the file's extension, a JSON list
     * by its bracket. Other modules add other types ({@link FileType}): peft-parquet Parquet, peft-documents PDF, DOCX
     * and XLSX.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     * @throws ConfigurationException when the module that reads such a file is not there
     */
    public static OpenRows open(DataFile file) {
        RowSource rows;
        try {
            rows = source(file);
        } catch (IOException e) {
            rows = HandbookSections.of(List.of(DataFiles.damaged(file.path(), 1, e)));
        }
        return of(file, rows);
    }

    /** Opens a file of JSON Lines, whatever its name is. */
    public static OpenRows jsonLines(Path file) {
        return jsonLines(DataFile.of(file), DataFiles.text(DataFile.of(file)));
    }

    /** The same of an open stream, which is closed with the rows. */
    public static OpenRows jsonLines(DataFile file, InputStream in) {
        return of(file, new JsonLineRows(file, in));
    }

    /**
     * Rows that come from elsewhere.
     *
     * @param file names them in messages, and says how they are read
     * @param rows closed with these
     */
    public static OpenRows of(DataFile file, RowSource rows) {
        try {
            return new OpenRows(file, rows);
        } catch (RuntimeException e) {
            close(file, rows);
            throw e;
        }
    }

    private static RowSource source(DataFile file) throws IOException {
        String name = DataFiles.plainName(file.path());
        if (Files.isDirectory(file.path())) {
            return HandbookSections.of(documents(file));
        }
        for (FileType type : ServiceLoader.load(FileType.class, OpenRows.class.getClassLoader())) {
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
        if (DataFiles.isDocument(file.path())) {
            return HandbookRows.open(file, name.contains(".htm"));
        }
        InputStream in = DataFiles.text(file);
        boolean list = (name.endsWith(".json") || name.equals("-")) && JsonArrayRows.beginsWithBracket(file, in);
        return list ? new JsonArrayRows(file, in) : new JsonLineRows(file, in);
    }

    /** The rows of the documents in a folder. A file that cannot be read is left out, if another one can. */
    private static List<DataRow> documents(DataFile folder) throws IOException {
        List<DataRow> rows = new ArrayList<>();
        List<String> left = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder.path())) {
            files.sorted().filter(file -> !file.getFileName().toString().matches("[.~].*")).forEach(file -> {
                try {
                    if (Files.isDirectory(file) || !DataFiles.isDocument(file)) {
                        throw new DataException(file, "is no document");
                    }
                    rows.addAll(list(folder.withPath(file), "text below a heading", row -> row));
                } catch (DataException | UncheckedIOException e) {
                    left.add(e.getMessage());
                }
            });
        }
        if (rows.isEmpty()) {
            throw new DataException(folder.path(), "is a folder without a document that can be read, of "
                    + DataFiles.DOCUMENTS + ": " + left + "; use a file in it");
        }
        if (!left.isEmpty()) {
            LOG.warn("{}: THE OTHER FILES ARE USED WITHOUT {}: {}", folder, Count.of(left.size(), "file"), left);
        }
        return rows;
    }

    private static DataFile requireNoText(DataFile file) {
        if (file.encoding().isPresent()) {
            throw new ConfigurationException("the encoding " + file.encoding().get() + " is given for " + file
                    + ", which is not a text file");
        }
        return file;
    }

    /** These rows, to be read as this format. */
    public OpenRows as(DataFormat format) {
        file = file.withFormat(format);
        return this;
    }

    /** These rows; {@code action} gets each one before it is returned. */
    public OpenRows telling(Consumer<DataRow> action) {
        told = told.andThen(action);
        return this;
    }

    /** The file, with what is said of how it is read. */
    public DataFile file() {
        return file;
    }

    /** The keys and values of the first row; empty if none can be read. */
    public Optional<Map<String, Object>> first() {
        return first;
    }

    /**
     * The next row, or its replacement; empty at the end.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public Optional<DataRow> next() {
        Optional<DataRow> next = ahead.isPresent() ? ahead : read();
        ahead = Optional.empty();
        next.filter(row -> !row.isWrong()).ifPresent(told);
        return next;
    }

    private Optional<DataRow> read() {
        Optional<DataRow> row = fromSource();
        if (file.columns().isEmpty()) {
            return row;
        }
        if (row.isPresent()) {
            line = row.get().line();
            return Optional.of(row.get().isWrong() ? row.get() : renamed(row.get()));
        }
        unseenColumns.removeIf(name -> keys.contains(file.columns().get(name)));
        if (unseenColumns.isEmpty() || keys.isEmpty()) {
            return row;
        }
        String problem = "no row has a column " + unseenColumns + ", which is to be renamed; there are " + keys;
        unseenColumns.clear();
        return Optional.of(DataRow.broken("unknown_column", new DataException(file.path(), line, problem)));
    }

    private Optional<DataRow> fromSource() {
        try {
            return ended ? Optional.empty() : rows.next();
        } catch (IOException e) {
            ended = true;
            return Optional.of(DataFiles.damaged(file.path(), rows.line(), e));
        }
    }

    private DataRow renamed(DataRow row) {
        unseenColumns.removeAll(row.fields().keySet());
        if (!unseenColumns.isEmpty()) {
            keys.addAll(row.fields().keySet());
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Map.Entry<String, Object> field : row.fields().entrySet()) {
            String name = file.columns().getOrDefault(field.getKey(), field.getKey());
            if (fields.containsKey(name)) {
                return DataRow.broken("unknown_column", new DataException(row.file(), row.line(), "has a column '"
                        + name + "' besides the one that is to get this name; rename that one too"));
            }
            fields.put(name, field.getValue());
        }
        return row.with(fields);
    }

    /**
     * Reads all rows up to the first fault.
     *
     * @param action told of each row, in their order
     * @return the number of rows
     * @throws DataException when a row cannot be read: with file, line and column
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public long forEach(Consumer<DataRow> action) {
        long count = 0;
        for (Optional<DataRow> next = next(); next.isPresent(); next = next()) {
            if (next.get().isWrong()) {
                throw next.get().exception();
            }
            action.accept(next.get());
            count++;
        }
        return count;
    }

    /**
     * What is read of all rows.
     *
     * @param expected what a row has, for the message if it is missing, such as {@code "text" and "label"}
     * @param reader reads a row; may throw {@link DataException}
     * @throws DataException when rows are wrong, with file, line and column of the first and a list of the others;
     *     when there is no row
     */
    public <T> List<T> list(String expected, Function<DataRow, T> reader) {
        List<T> read = new ArrayList<>();
        DataFaults faults = new DataFaults();
        for (Optional<DataRow> next = next(); next.isPresent(); next = next()) {
            DataRow row = next.get();
            faults.collect(() -> {
                if (row.isWrong()) {
                    throw row.exception();
                }
                read.add(reader.apply(row));
            });
        }
        faults.throwAny();
        if (read.isEmpty()) {
            throw new DataException(file.path(), "contains no rows; expected " + expected + " a line");
        }
        return read;
    }

    /** As {@link #list(String, Function)}, of a file that is opened for it. */
    public static <T> List<T> list(DataFile file, String expected, Function<DataRow, T> reader) {
        try (OpenRows rows = open(file)) {
            return rows.list(expected, reader);
        }
    }

    /** How the file is laid out, where it is a CSV or TSV file whose first row has been read. */
    @Internal
    public Optional<TableLayout> layout() {
        return rows.layout().map(layout -> file.columns().isEmpty() ? layout : layout.withNames(file.columns()));
    }

    /** Whoever reads the rows may close them, and whoever has opened them does so again. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            close(file, rows);
        }
    }

    private static void close(DataFile file, RowSource rows) {
        try {
            rows.close();
        } catch (IOException e) {
            throw DataFiles.unreadable(file.path(), e);
        }
    }

    /** The rows of a file of JSON Lines; blank lines are skipped. */
    private static final class JsonLineRows implements RowSource {
        private final Path file;
        private final InputStream in;
        private final Utf8Lines lines;
        private long before;

        JsonLineRows(DataFile file, InputStream in) {
            this.file = file.path();
            this.in = in;
            this.lines = new Utf8Lines(this.file, in);
        }

        @Override
        public Optional<DataRow> next() throws IOException {
            try {
                Optional<String> line = Optional.of("");
                while (line.isPresent() && line.get().isBlank()) {
                    before = lines.line();
                    line = lines.next();
                }
                return line.map(text -> RowSource.jsonLine(file, lines.line(), text));
            } catch (DataException e) {
                return Optional.of(DataRow.broken("wrong_encoding", e));
            } catch (LongLineException e) {
                return Optional
                        .of(DataRow.broken("invalid_json", new DataException(file, lines.line(), e.getMessage())));
            }
        }

        @Override
        public long line() {
            return before + 1;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
