package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.internal.Place;
import io.peft4j.data.format.support.UnfilledRows;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
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
public final class ExampleReader implements AutoCloseable {
    /** The format is that of most of the first rows; this many are looked at. */
    private static final int ROWS_TO_RECOGNIZE = 100;

    private final Path file;
    private final RowSource source;
    private final MessageReader messages = new MessageReader();
    private final Deque<RowSource.Entry> ahead = new ArrayDeque<>();
    private Optional<DataFormat> format;
    private boolean heldOut;

    /**
     * A row that was read.
     *
     * @param line its line, from 1
     * @param example the example; empty where a fault is fatal
     * @param faults what is wrong with it
     * @param fields the row's fields; empty where it has none that can be read
     */
    public record Item(long line, Optional<Example> example, List<RowFault> faults, Map<String, Object> fields) {
    }

    private ExampleReader(DataFile file, RowSource source) {
        this.file = file.path();
        this.format = file.format();
        this.source = source;
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
        return new ExampleReader(file, RowSource.open(file));
    }

    /**
     * Reads rows that come from elsewhere.
     *
     * @param file names them in messages, and says how they are read
     * @param rows closed with the reader
     */
    public static ExampleReader of(DataFile file, RowSource rows) {
        return new ExampleReader(file, file.columns().isEmpty() ? rows : new RenamedRows(file, rows));
    }

    /** Reads the rows of a file that is open; closed with the reader. */
    public static ExampleReader of(OpenRows rows) {
        return new ExampleReader(rows.file(), rows);
    }

    /** The example that a row by itself looks like; empty where it is none. */
    public static Optional<Example> example(JsonLines.Row row) {
        return DataFormat.of(row.fields()).flatMap(like -> like.read(row, new MessageReader(), fault -> {
        }));
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
        return messages.unknownKeys();
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
        Optional<RowSource.Entry> entry = ahead.isEmpty() ? source.next() : Optional.of(ahead.poll());
        return entry.map(this::item);
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
        return source.layout();
    }

    private void recognize() {
        Map<DataFormat, Integer> seen = new LinkedHashMap<>();
        Optional<RowSource.Entry> entry = source.next();
        while (entry.isPresent()) {
            ahead.add(entry.get());
            entry.get().row().flatMap(row -> DataFormat.of(row.fields()))
                    .ifPresent(like -> seen.merge(like, 1, Integer::sum));
            entry = ahead.size() < ROWS_TO_RECOGNIZE ? source.next() : Optional.empty();
        }
        // Where no row looks like any, the format that most files have: its faults say what is expected.
        DataFormat found = DataFormat.CHAT;
        for (Map.Entry<DataFormat, Integer> like : seen.entrySet()) {
            found = like.getValue() > seen.getOrDefault(found, 0) ? like.getKey() : found;
        }
        format = Optional.of(found);
    }

    private Item item(RowSource.Entry entry) {
        if (entry.row().isEmpty()) {
            return new Item(entry.line(), Optional.empty(), List.of(entry.fault().orElseThrow()), Map.of());
        }
        List<RowFault> faults = new ArrayList<>();
        Optional<Example> example = format.orElseThrow().read(entry.row().get(), messages, faults::add);
        if (format.get() == DataFormat.EVALUATION && !heldOut) {
            faults.add(RowFault.fatal("held_out_item", "is a held-out item, with " + entry.row().get().fields().keySet()
                    + " and no answer to learn; evaluate with it, and train on rows with answers"));
        }
        example.flatMap(UnfilledRows::unfilled).map(UnfilledRows::fault).ifPresent(faults::add);
        boolean fatal = faults.stream().anyMatch(RowFault::fatal);
        return new Item(entry.line(), fatal ? Optional.empty() : example, faults, entry.row().get().fields());
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
                return taken.example().orElseThrow(() -> exception(taken));
            }
        };
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(examples,
                Spliterator.ORDERED | Spliterator.NONNULL), false);
    }

    /** The first fatal fault of a row as an exception that names file, line and column. */
    public DataException exception(Item item) {
        RowFault fault = item.faults().stream().filter(RowFault::fatal).findFirst().orElseThrow();
        return new DataException(file, item.line(), fault.column(), fault.message() + Place.of(item.fields())
                .map(place -> " (" + place + ")").orElse(""), null);
    }

    @Override
    public void close() {
        source.close();
    }
}
