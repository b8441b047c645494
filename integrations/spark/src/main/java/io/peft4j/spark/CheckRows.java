package io.peft4j.spark;

import io.peft4j.data.ChatEncoder;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowSource;
import io.peft4j.data.near.WordStatistics;
import io.peft4j.data.report.CheckPart;
import io.peft4j.data.report.RowScan;
import io.peft4j.data.task.RowKind;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;

/**
 * Looks at the rows of a partition: gives a {@link CheckedExample} for each that is one, then {@link
 * CheckedPart.SeenWords} and a {@link CheckedPart}. Keeps no more than a row's texts at a time.
 */
final class CheckRows implements FlatMapFunction<Iterator<Tuple2<Object, Long>>, Object> {
    private static final long serialVersionUID = 1L;

    private final CheckSettings settings;
    private final int file;

    CheckRows(CheckSettings settings, int file) {
        this.settings = settings;
        this.file = file;
    }

    @Override
    public Iterator<Object> call(Iterator<Tuple2<Object, Long>> rows) {
        return new Results(rows);
    }

    /** The rows as a source of entries: rows of DataFrames, or lines of JSON. */
    static RowSource source(Path name, Iterator<Tuple2<Object, Long>> rows) {
        return new RowSource() {
            @Override
            public Optional<DataRow> next() {
                while (rows.hasNext()) {
                    Tuple2<Object, Long> next = rows.next();
                    long line = next._2() + 1;
                    if (next._1() instanceof Row row) {
                        return Optional.of(new DataRow(name, line, SparkRows.of(row)));
                    }
                    String text = (String) next._1();
                    if (!text.isBlank()) {
                        return Optional.of(RowSource.jsonLine(name, line, text));
                    }
                }
                return Optional.empty();
            }

            @Override
            public void close() {
                // Spark's.
            }
        };
    }

    private final class Results implements Iterator<Object> {
        private final ExampleReader reader;
        private final PiiDetector detector = settings.detector();
        private final Optional<SharedModels.Base> base = settings.base();
        private final Optional<ChatEncoder> encoder = base.map(one -> CheckSettings.encoder(one.model()));
        private final CheckPart part = settings.part();
        private final WordStatistics words = new WordStatistics();
        private final LongStream.Builder lines = LongStream.builder();
        private final Deque<Object> ready = new ArrayDeque<>();
        private int examples;
        private boolean ended;

        Results(Iterator<Tuple2<Object, Long>> rows) {
            Path name = Path.of(settings.files().get(file));
            TaskContext.get().addTaskCompletionListener(
                    (TaskCompletionListener) task -> base.ifPresent(SharedModels.Base::close));
            this.reader = ExampleReader.of(OpenRows.of(settings.data(name), source(name, rows)));
        }

        @Override
        public boolean hasNext() {
            while (ready.isEmpty() && !ended) {
                Optional<ExampleReader.Item> item = reader.next();
                item.ifPresentOrElse(this::take, this::end);
            }
            return !ready.isEmpty();
        }

        private void take(ExampleReader.Item item) {
            RowScan row = part.scan(item, RowKind.labelled(item.row().fields()), detector, encoder);
            part.take(file, row, row.features().isEmpty() ? OptionalInt.empty() : OptionalInt.of(examples), detector,
                    encoder);
            row.features().ifPresent(features -> {
                words.add(features);
                lines.add(row.line());
                ready.add(new CheckedExample(examples++, file, row.line(), features));
            });
        }

        private void end() {
            ended = true;
            ready.add(new CheckedPart.SeenWords(words));
            ready.add(new CheckedPart(file, lines.build().toArray(), part));
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return ready.remove();
        }
    }
}
