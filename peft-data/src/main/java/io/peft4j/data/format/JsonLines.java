package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Reads JSON Lines: UTF-8 text with one JSON object a line, compressed with gzip or zstd or not. Blank lines are
 * skipped. Rows are handed on one by one, so the size of a file does not matter.
 */
public final class JsonLines {
    private JsonLines() {
    }

    /**
     * A row.
     *
     * @param file the file that it stands in
     * @param line its line, from 1
     * @param fields the object; belongs to the receiver, who may change it
     */
    public record Row(Path file, long line, Map<String, Object> fields) {
        /** An exception that names the row's place. */
        public DataException wrong(String message) {
            return new DataException(file, line, message);
        }
    }

    /**
     * Reads a file up to the first fault.
     *
     * @param file the file
     * @param action told of each row, in their order
     * @return the number of rows
     * @throws DataException when a line is not UTF-8, longer than 16 MB or not a JSON object: with file, line and
     * column
     * @throws UncheckedIOException when the file cannot be read
     */
    public static long read(Path file, Consumer<Row> action) {
        long rows = 0;
        try (RowSource source = RowSource.jsonLines(file)) {
            Optional<RowSource.Entry> entry = source.next();
            while (entry.isPresent()) {
                action.accept(entry.get().row().orElseThrow(rowOf(entry.get(), file)));
                rows++;
                entry = source.next();
            }
        }
        return rows;
    }

    /**
     * Reads the first row, if there is one and it is a JSON object.
     *
     * @throws UncheckedIOException when the file cannot be read
     */
    public static void first(Path file, Consumer<Row> action) {
        try (RowSource source = RowSource.jsonLines(file)) {
            source.next().flatMap(RowSource.Entry::row).ifPresent(action);
        }
    }

    private static Supplier<DataException> rowOf(RowSource.Entry entry, Path file) {
        return () -> entry.exception(file);
    }

    /** A changeable copy of a JSON object. */
    public static Map<String, Object> object(Map<?, ?> map) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put((String) key, value));
        return copy;
    }

    /** The keys of a row that are among {@code known}, in the order of {@code known}. */
    public static List<String> present(Row row, List<String> known) {
        return known.stream().filter(row.fields()::containsKey).toList();
    }
}
