package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;

/** Reads rows on one thread while others work on those read before; results come in the order of the rows. */
@Internal
public final class ParallelRows {
    private static final int BATCH = 512;
    /** Characters from which on a batch is not made larger: rows may be long. */
    private static final long LARGE = 1 << 22;

    private ParallelRows() {
    }

    /**
     * Reads all rows.
     *
     * @param reader where they come from
     * @param work what is done with a row, by many threads at once
     * @param action told of each result in the order of the rows, on the calling thread
     * @param progress told now and then how many rows have been read
     */
    public static <T> void forEach(ExampleReader reader, Function<ExampleReader.Item, T> work, Consumer<T> action,
            LongConsumer progress) {
        List<ExampleReader.Item> batch = read(reader);
        long rows = 0;
        while (!batch.isEmpty()) {
            List<ExampleReader.Item> current = batch;
            ForkJoinTask<List<T>> done = ForkJoinPool.commonPool()
                    .submit(() -> current.parallelStream().map(work).toList());
            try {
                batch = read(reader);
            } finally {
                done.quietlyJoin();
            }
            done.join().forEach(action);
            rows += current.size();
            progress.accept(rows);
        }
    }

    private static List<ExampleReader.Item> read(ExampleReader reader) {
        List<ExampleReader.Item> batch = new ArrayList<>();
        long characters = 0;
        Optional<ExampleReader.Item> item = reader.next();
        while (item.isPresent()) {
            batch.add(item.get());
            characters += DataRow.characters(item.get().row().fields());
            item = batch.size() < BATCH && characters < LARGE ? reader.next() : Optional.empty();
        }
        return batch;
    }
}
