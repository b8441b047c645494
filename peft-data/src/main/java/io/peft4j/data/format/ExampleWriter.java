package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.AtomicFiles;
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
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/**
 * Writes examples to a file: CSV or TSV where its name ends so, else JSON Lines; compressed where it ends in
 * {@code .gz} or {@code .zst}. The file appears under its name when the writer is closed after {@link #commit}, so that
 * no half of one is ever mistaken for the whole.
 */
@Internal(shared = true)
public final class ExampleWriter implements AutoCloseable {
    private static final List<String> OTHER_TYPES = Stream.concat(DataFiles.DOCUMENTS.stream(), Stream.of(".parquet"))
            .toList();

    private final Path file;
    private final Path temporary;
    private final DataFormat format;
    private final Writer out;
    private final Optional<Character> separator;
    private CSVPrinter table;
    private List<String> columns = List.of();
    private long rows;
    private boolean committed;
    private boolean given;

    private final Optional<TableLayout> layout;

    private ExampleWriter(Path file, DataFormat format, Optional<TableLayout> layout) {
        this.file = file.toAbsolutePath();
        this.format = format;
        String name = requireType(file);
        this.layout = layout.map(one -> one.at(name.endsWith(".tsv")));
        this.separator = !isTable(file) ? Optional.empty() : Optional.of(this.layout.map(TableLayout::separator)
                .orElse(name.endsWith(".tsv") ? '\t' : ','));
        AtomicFiles.requireFile(file);
        try {
            Files.createDirectories(this.file.getParent());
            // Not createTempFile, whose files only the owner may read.
            this.temporary = Files.createFile(this.file.resolveSibling("." + file.getFileName() + "."
                    + UUID.randomUUID() + ".tmp"));
            // If the program is stopped half-way.
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
        return new ExampleWriter(file, format, Optional.empty());
    }

    /**
     * Begins a file whose rows have the keys, and where it is a table the columns and separators, of another table.
     *
     * @param layout that of the other one
     * @throws ConfigurationException and {@link UncheckedIOException} as {@link #open(Path, DataFormat)}
     */
    public static ExampleWriter open(Path file, DataFormat format, Optional<TableLayout> layout) {
        return new ExampleWriter(file, format, layout);
    }

    private static String requireType(Path file) {
        String name = DataFiles.plainName(file);
        if (OTHER_TYPES.stream().anyMatch(name::endsWith)) {
            throw new ConfigurationException(file + " would hold JSON Lines under the ending of another type "
                    + "and could not be read again; use the ending .jsonl, .csv or .tsv");
        }
        return name;
    }

    /**
     * Refuses a file that cannot hold rows of a format, before there are any.
     *
     * @throws ConfigurationException when its type is not written, or it is a table and the rows hold lists
     */
    public static void requireHolds(Path file, DataFormat format) {
        requireType(file);
        if (isTable(file) && !format.fitsTables()) {
            throw new ConfigurationException(file + " is a table, which cannot hold the lists of " + format.name()
                    .toLowerCase(java.util.Locale.ROOT) + "; write qa, a question and its answer a row, or .jsonl");
        }
    }

    /**
     * Has a table begin with the columns in which any of the examples that will be written has something; other cells
     * are empty. Without this all have the columns of the first.
     */
    public ExampleWriter withColumnsOf(List<? extends Example> examples) {
        given = layout.isEmpty() && separator.isPresent();
        columns = examples.stream().flatMap(example -> row(example).entrySet().stream()).filter(ExampleWriter::isFilled)
                .map(Map.Entry::getKey).distinct().toList();
        return this;
    }

    private static boolean isFilled(Map.Entry<String, Object> cell) {
        return cell.getValue() != null && !cell.getValue().equals("");
    }

    /** Whether a file of this name is written as a table. */
    public static boolean isTable(Path file) {
        String name = DataFiles.plainName(file);
        return name.endsWith(".csv") || name.endsWith(".tsv");
    }

    /**
     * Writes an example that was changed after it was read: in a table like another one, the row as it was with what
     * was changed.
     *
     * @param read the example as it was read
     * @param fields its row as it was read
     * @param example the example now
     * @throws DataException and {@link UncheckedIOException} as {@link #write(Example)}
     */
    public void write(Example read, Map<String, Object> fields, Example example) {
        write(example, layout.isEmpty() ? row(example) : TableLayout.changed(fields, row(read), row(example)));
    }

    /**
     * Writes an example.
     *
     * @throws DataException when the format cannot hold it, with the place where it was read
     * @throws UncheckedIOException when it cannot be written
     */
    public void write(Example example) {
        write(example, row(example));
    }

    private Map<String, Object> row(Example example) {
        return format.write(example).orElseThrow(() -> refused(example, "cannot be written as "
                + format.word() + ", which cannot represent its turns, "
                + "roles, tools, weights or further fields; use the format chat"));
    }

    private void write(Example example, Map<String, Object> row) {
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
            columns = given ? columns : layout.map(one -> one.columns().stream()
                    .map(name -> one.names().getOrDefault(name, name)).toList()).orElse(List.copyOf(row.keySet()));
            out.write(layout.map(one -> (one.marked() ? "\ufeff" : "") + (one.named() ? "sep=" + one.separator() + "\n"
                    : "")).orElse(""));
            table = new CSVPrinter(out, CSVFormat.RFC4180.builder().setDelimiter(separator.orElseThrow())
                    .setRecordSeparator('\n').get());
            table.printRecord(layout.map(TableLayout::columns).orElse(columns));
        }
        List<String> filled = row.entrySet().stream().filter(cell -> !given || isFilled(cell)).map(Map.Entry::getKey)
                .toList();
        if (!columns.containsAll(filled) || !given && filled.size() != columns.size()) {
            throw refused(example, "has the fields " + row.keySet() + ", but the table has the columns " + columns);
        }
        List<String> cells = new ArrayList<>();
        for (String column : columns) {
            Object value = given ? row.getOrDefault(column, "") : row.get(column);
            if (!(value instanceof String || value instanceof Number || value instanceof Boolean)) {
                throw refused(example, "\"" + column + "\" is not a text, which a table cannot hold; write .jsonl");
            }
            cells.add(value.toString());
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
