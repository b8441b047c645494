package io.peft4j.data.format;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.internal.AtomicFiles;
import io.peft4j.data.example.Example;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/**
 * Writes examples to a file: CSV or TSV where its name ends so, else JSON Lines; compressed where it ends in
 * {@code .gz} or {@code .zst}. The file appears under its name when the writer is closed after {@link #commit}, so that
 * no half of one is ever mistaken for the whole.
 */
public final class ExampleWriter implements AutoCloseable {
    private static final List<String> OTHER_TYPES = List.of(".parquet", ".md", ".markdown", ".html", ".htm");

    private final Path file;
    private final Path temporary;
    private final DataFormat format;
    private final Writer out;
    private final Optional<Character> separator;
    private CSVPrinter table;
    private List<String> columns = List.of();
    private long rows;
    private boolean committed;

    private ExampleWriter(Path file, DataFormat format) {
        this.file = file.toAbsolutePath();
        this.format = format;
        String name = DataFiles.plainName(file);
        if (OTHER_TYPES.stream().anyMatch(name::endsWith)) {
            throw new ConfigurationException(file + " would hold JSON Lines under the name of another type, and could "
                    + "not be read again; end it in .jsonl, .csv or .tsv");
        }
        this.separator = name.endsWith(".csv") ? Optional.of(',')
                : name.endsWith(".tsv") ? Optional.of('\t') : Optional.empty();
        AtomicFiles.requireFile(file);
        try {
            Files.createDirectories(this.file.getParent());
            // Not createTempFile, whose files only the owner may read.
            this.temporary = Files.createFile(this.file.resolveSibling("." + file.getFileName() + "."
                    + UUID.randomUUID() + ".tmp"));
            // Where somebody stops the program half-way.
            temporary.toFile().deleteOnExit();
            this.out = new BufferedWriter(new OutputStreamWriter(
                    DataFiles.compressing(file, Files.newOutputStream(temporary)), StandardCharsets.UTF_8), 1 << 16);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /**
     * Begins a file.
     *
     * @param file the file, replaced when the writing is complete
     * @param format the format of its rows
     * @throws ConfigurationException when its name ends as that of a type that is read, but not written
     * @throws UncheckedIOException when it cannot be written
     */
    public static ExampleWriter open(Path file, DataFormat format) {
        return new ExampleWriter(file, format);
    }

    /**
     * Writes an example.
     *
     * @throws DataException when the format cannot hold it, with the place where it was read
     * @throws UncheckedIOException when it cannot be written
     */
    public void write(Example example) {
        Map<String, Object> row = format.write(example).orElseThrow(() -> refused(example, "cannot be written as "
                + format.name().toLowerCase(java.util.Locale.ROOT) + ", which has no place for its turns, roles, tools "
                + "or weights, or keeps the name of one of its further fields for something else; the format chat "
                + "holds every conversation"));
        try {
            if (separator.isPresent()) {
                writeCells(example, row);
            } else {
                out.write(JsonText.write(row));
                out.write('\n');
            }
            rows++;
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private void writeCells(Example example, Map<String, Object> row) throws IOException {
        if (table == null) {
            columns = List.copyOf(row.keySet());
            table = new CSVPrinter(out, CSVFormat.RFC4180.builder().setDelimiter(separator.orElseThrow())
                    .setRecordSeparator('\n').get());
            table.printRecord(columns);
        }
        if (!columns.containsAll(row.keySet()) || row.size() != columns.size()) {
            throw refused(example, "has the fields " + row.keySet() + ", but the table has the columns " + columns);
        }
        List<String> cells = new ArrayList<>();
        for (String column : columns) {
            if (!(row.get(column) instanceof String text)) {
                throw refused(example, "\"" + column + "\" is not a text, so a table cannot hold it; write .jsonl");
            }
            cells.add(text);
        }
        table.printRecord(cells);
    }

    private static DataException refused(Example example, String message) {
        return new DataException(Path.of(example.origin().file()), example.origin().line(), message);
    }

    /** The number of rows so far. */
    public long rows() {
        return rows;
    }

    /** Says that all has been written: {@link #close} then puts the file in its place. */
    public void commit() {
        committed = true;
    }

    /** Puts the file in its place, or removes what was written of it when {@link #commit} was not called. */
    @Override
    public void close() {
        try {
            out.close();
            if (committed) {
                move();
            }
        } catch (IOException e) {
            throw unwritable(e);
        } finally {
            deleteTemporary();
        }
    }

    private void move() throws IOException {
        try {
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private void deleteTemporary() {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private UncheckedIOException unwritable(IOException e) {
        String reason = e instanceof FileAlreadyExistsException taken ? taken.getFile() + " is a file, not a folder"
                : e.getMessage();
        return new UncheckedIOException("cannot write " + file + ": " + reason, e);
    }
}
