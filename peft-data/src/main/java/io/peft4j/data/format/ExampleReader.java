package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.data.example.Example;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Reads the examples of a file one after the other, whatever its format is; memory does not grow with the file.
 *
 * <pre>{@code
 * try (ExampleReader reader = ExampleReader.open(Path.of("answers.csv.gz"))) {
 *     reader.stream().forEach(example -> ...);
 * }
 * }</pre>
 */
@Internal(shared = true)
public final class ExampleReader implements AutoCloseable {
    /** The format is that of most of the first rows; this many are looked at. */
    private static final int ROWS_TO_RECOGNIZE = 100;

    private static final int MOST_UNKNOWN_KEYS = 20;

    private final OpenRows rows;
    private final Deque<DataRow> ahead = new ArrayDeque<>();
    private final Set<String> unknownKeys = new LinkedHashSet<>();
    private Optional<DataFormat> format;
    private boolean heldOut;

    /**
     * A row that was read.
     *
     * @param row the row, with what is wrong with it
     * @param example the example; empty where a fault is fatal
     */
    public record Item(DataRow row, Optional<Example> example) {
    }

    private ExampleReader(OpenRows rows) {
        this.rows = rows;
        this.format = rows.file().format();
    }

    /**
     * Opens a file whose format is recognised.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    public static ExampleReader open(Path file) {
        return open(DataFile.of(file));
    }

    /**
     * Opens a file with its format, names of columns or encoding given.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    public static ExampleReader open(DataFile file) {
        return of(OpenRows.open(file));
    }

    /** Reads the rows of a file that is open; closed with the reader. */
    public static ExampleReader of(OpenRows rows) {
        return new ExampleReader(rows);
    }

    /** The example that a row alone looks like; empty where it is none. */
    public static Optional<Example> example(DataRow row) {
        return DataFormat.of(row.fields()).flatMap(like -> like.read(row.with(row.fields())));
    }

    /** What is wrong with a row, as the example that it alone looks like; nothing of one that looks like none. */
    @Internal(shared = true)
    public static List<RowFault> faults(DataRow row) {
        DataRow alone = row.with(new LinkedHashMap<>(row.fields()));
        alone.faults().addAll(row.faults());
        DataFormat.of(row.fields()).ifPresent(like -> like.read(alone));
        return alone.faults();
    }

    /** Says that the rows are held-out data, which may also be items of an evaluation without an answer to learn. */
    public ExampleReader heldOut() {
        heldOut = true;
        return this;
    }

    /** The format: the given one, or the one that the rows so far look like. */
    public Optional<DataFormat> format() {
        return format;
    }

    /** Keys of messages that the chat format does not have, the first of all rows so far. */
    public Set<String> unknownKeys() {
        return unknownKeys;
    }

    /**
     * The next row with what is wrong with it; empty at the end of the file.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public Optional<Item> next() {
        if (format.isEmpty()) {
            recognize();
        }
        return (ahead.isEmpty() ? rows.next() : Optional.of(ahead.poll())).map(this::item);
    }

    /** Reads as far as is needed to know the format, and hands nothing out. */
    public DataFormat recognized() {
        if (format.isEmpty()) {
            recognize();
        }
        return format.orElseThrow();
    }

    /** How the file is laid out, where it is CSV or TSV and its format is {@link #recognized}. */
    public Optional<TableLayout> layout() {
        return rows.layout();
    }

    private void recognize() {
        Map<DataFormat, Integer> seen = new LinkedHashMap<>();
        Optional<DataRow> row = rows.next();
        while (row.isPresent()) {
            ahead.add(row.get());
            DataFormat.of(row.get().fields()).ifPresent(like -> seen.merge(like, 1, Integer::sum));
            row = ahead.size() < ROWS_TO_RECOGNIZE ? rows.next() : Optional.empty();
        }
        // Where no row looks like any, the format that most files have: its faults say what is expected.
        DataFormat found = DataFormat.CHAT;
        for (Map.Entry<DataFormat, Integer> like : seen.entrySet()) {
            found = like.getValue() > seen.getOrDefault(found, 0) ? like.getKey() : found;
        }
        format = Optional.of(found);
    }

    private Item item(DataRow row) {
        if (row.isWrong()) {
            return new Item(row, Optional.empty());
        }
        // Items with and without an answer may be in one file.
        DataFormat like = heldOut ? DataFormat.of(row.fields()).filter(DataFormat.EVALUATION::equals).or(() -> format)
                .orElseThrow() : format.orElseThrow();
        Optional<Example> example = like.read(row);
        if (like == DataFormat.EVALUATION && !heldOut) {
            row.fatal("held_out_item", "is a held-out item, with " + row.fields().keySet()
                    + " and no answer to learn; evaluate with it, and train on rows with answers");
        }
        example.flatMap(UnfilledRows::unfilled).ifPresent(text -> row.odd(UnfilledRows.UNFILLED,
                UnfilledRows.fault(text)));
        row.unknownKeys().stream().limit(MOST_UNKNOWN_KEYS - unknownKeys.size()).forEach(unknownKeys::add);
        return new Item(row, example.filter(one -> !row.isWrong()));
    }

    /**
     * The examples that are left. The stream throws a {@link DataException} with file, line and column at the first row
     * that is none, and an {@link java.io.UncheckedIOException} when the file cannot be read.
     */
    public Stream<Example> stream() {
        Iterator<Example> examples = new Iterator<>() {
            private Optional<Item> item = Optional.empty();

            @Override
            public boolean hasNext() {
                item = item.isPresent() ? item : ExampleReader.this.next();
                return item.isPresent();
            }

            @Override
            public Example next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Item taken = item.orElseThrow();
                item = Optional.empty();
                return taken.example().orElseThrow(taken.row()::exception);
            }
        };
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(examples,
                Spliterator.ORDERED | Spliterator.NONNULL), false);
    }

    /**
     * What is made of all rows that are left.
     *
     * @param expected what a row has, for the message if it is missing
     * @param example makes it of a row; may throw {@link DataException}
     * @throws DataException when rows are wrong, with file, line and column of the first and a list of the others; when
     *     there is no row
     */
    public <T> List<T> list(String expected, Function<Item, T> example) {
        List<T> examples = new ArrayList<>();
        DataFaults faults = new DataFaults();
        for (Optional<Item> next = next(); next.isPresent(); next = next()) {
            Item item = next.get();
            faults.collect(() -> examples.add(example.apply(item)));
        }
        faults.throwAny();
        if (examples.isEmpty()) {
            throw new DataException(rows.file().path(), "contains no examples; expected " + expected + " a line");
        }
        return examples;
    }

    @Override
    public void close() {
        rows.close();
    }
}
