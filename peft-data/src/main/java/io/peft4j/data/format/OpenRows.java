package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * The rows of a file that is opened once, whose first one can be looked at before they are read: what they are is told
 * by it, also where a file can be read only once, as a pipe.
 */
public final class OpenRows implements RowSource {
    private final DataFile file;
    private final RowSource rows;
    private Optional<Entry> ahead;
    private final Optional<Map<String, Object>> first;

    /** Whoever reads the rows may close them, and whoever has opened them does so again. */
    private final AtomicBoolean closed;
    private final Consumer<JsonLines.Row> told;

    private OpenRows(DataFile file, RowSource rows, Optional<Entry> ahead, AtomicBoolean closed,
            Consumer<JsonLines.Row> told) {
        this.closed = closed;
        this.told = told;
        this.file = file;
        this.rows = rows;
        this.ahead = ahead;
        this.first = ahead.flatMap(Entry::row).map(JsonLines.Row::fields);
    }

    /**
     * Opens a file.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    public static OpenRows open(DataFile file) {
        RowSource rows = RowSource.open(file);
        try {
            return new OpenRows(file, rows, rows.next(), new AtomicBoolean(), row -> {
            });
        } catch (RuntimeException e) {
            rows.close();
            throw e;
        }
    }

    /** The same rows, to be read as this format; instead of these. */
    public OpenRows as(DataFormat format) {
        return new OpenRows(file.withFormat(format), rows, ahead, closed, told);
    }

    /** The same rows, of each of which {@code action} is told before it is handed out; instead of these. */
    public OpenRows telling(Consumer<JsonLines.Row> action) {
        return new OpenRows(file, rows, ahead, closed, told.andThen(action));
    }

    /** The file, with what is said of how it is read. */
    public DataFile file() {
        return file;
    }

    /** The keys and values of the first row; empty where there is none that can be read. */
    public Optional<Map<String, Object>> first() {
        return first;
    }

    @Override
    public Optional<Entry> next() {
        Optional<Entry> next = ahead.isPresent() ? ahead : rows.next();
        ahead = Optional.empty();
        next.flatMap(Entry::row).ifPresent(told);
        return next;
    }

    /**
     * Reads all rows up to the first fault.
     *
     * @param action told of each row, in their order
     * @return the number of rows
     * @throws DataException when a row cannot be read: with file, line and column
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public long forEach(Consumer<JsonLines.Row> action) {
        long count = 0;
        for (Optional<Entry> next = next(); next.isPresent(); next = next()) {
            Entry entry = next.get();
            action.accept(entry.row().orElseThrow(() -> entry.exception(file.path())));
            count++;
        }
        return count;
    }

    @Override
    public Optional<TableLayout> layout() {
        return rows.layout();
    }

    @Override
    public void close() {
        if (!closed.getAndSet(true)) {
            rows.close();
        }
    }
}
