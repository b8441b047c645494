package io.peft4j.spark;

import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowSource;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Examples;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import io.peft4j.data.near.WordStatistics;
import io.peft4j.data.report.CheckEnd;
import io.peft4j.data.report.CheckPart;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.RowScan;
import io.peft4j.data.task.RowKind;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;

/** A check of data on executors. The driver keeps some 20 bytes for each example, and the texts of related ones. */
final class CheckJob {
    /** As many as the plain check looks at. */
    private static final int ROWS_TO_RECOGNIZE = 100;

    private final JavaSparkContext spark;
    private final List<JavaPairRDD<Object, Long>> rows;
    private final CheckSettings settings;

    /**
     * A check.
     *
     * @param rows for each file its rows, or the lines of JSON, with their numbers from 0
     */
    public CheckJob(JavaSparkContext spark, List<JavaPairRDD<Object, Long>> rows, CheckSettings settings) {
        this.spark = spark;
        this.rows = rows;
        this.settings = settings;
    }

    /** The format that rows look like. */
    public static DataFormat recognized(JavaPairRDD<Object, Long> rows) {
        Path name = Path.of("rows");
        try (ExampleReader reader = ExampleReader.of(OpenRows.of(DataFile.of(name), CheckRows.source(name,
                rows.take(ROWS_TO_RECOGNIZE).iterator())))) {
            return reader.recognized();
        }
    }

    /** Checks the rows. */
    public DataReport run() {
        JavaRDD<Object> scanned = spark.emptyRDD();
        for (int file = 0; file < rows.size(); file++) {
            JavaRDD<Object> one = rows.get(file).rdd().toJavaRDD().mapPartitions(new CheckRows(settings, file));
            scanned = file == 0 ? one : scanned.union(one);
        }
        scanned = scanned.persist(StorageLevel.MEMORY_AND_DISK_SER());
        try {
            return report(scanned);
        } finally {
            scanned.unpersist();
        }
    }

    private DataReport report(JavaRDD<Object> scanned) {
        List<CheckedPart> parts = only(scanned, CheckedPart.class).collect();
        WordStatistics words = only(scanned, CheckedPart.SeenWords.class)
                .treeReduce(CheckedPart.SeenWords::merge).statistics;
        ExampleIndex all = new ExampleIndex(parts, words, settings.files().get(0));
        Broadcast<int[]> firsts = spark.broadcast(all.firsts());
        JavaPairRDD<Integer, CheckedExample> examples = scanned
                .mapPartitionsWithIndex((partition, objects) -> numbered(objects, firsts.value()[partition]), false)
                .mapToPair(one -> one);
        BitSet related = new RelatedExamples(examples, spark, spark.broadcast(words)).find();
        try (Corpus corpus = new Corpus(words)) {
            for (Tuple2<Integer, CheckedExample> one : chosen(examples, related)) {
                corpus.add(one._2().file, one._2().line, Corpus.Features.of(one._2().text, one._2().exact));
            }
            Relations relations = Relations.of(corpus, all.size(), stage -> {
            });
            CheckEnd end = new CheckEnd(joined(parts), settings.detector());
            BitSet shown = new BitSet();
            end.shown(all).forEach(shown::set);
            chosen(examples, shown).forEach(one -> all.show(one._1(), one._2().text));
            return end.report(settings.format().name(), all, corpus, relations, corpus,
                    Overlap.of(corpus, relations));
        }
    }

    private static <T> JavaRDD<T> only(JavaRDD<Object> objects, Class<T> type) {
        return objects.filter(type::isInstance).mapPartitions((FlatMapFunction<Iterator<Object>, T>) some -> {
            Iterable<Object> all = () -> some;
            return StreamSupport.stream(all.spliterator(), false).map(type::cast).iterator();
        });
    }

    private static Iterator<Tuple2<Integer, CheckedExample>> numbered(Iterator<Object> objects, int first) {
        Iterable<Object> all = () -> objects;
        return StreamSupport.stream(all.spliterator(), false)
                .filter(CheckedExample.class::isInstance).map(CheckedExample.class::cast)
                .map(one -> new Tuple2<>(first + one.place, one)).iterator();
    }

    /** Some examples, by their numbers. */
    private List<Tuple2<Integer, CheckedExample>> chosen(JavaPairRDD<Integer, CheckedExample> examples,
            BitSet numbers) {
        if (numbers.isEmpty()) {
            return List.of();
        }
        Broadcast<BitSet> wanted = spark.broadcast(numbers);
        List<Tuple2<Integer, CheckedExample>> found = new ArrayList<>(examples.filter(one -> wanted.value()
                .get(one._1())).collect());
        found.sort((a, b) -> Integer.compare(a._1(), b._1()));
        return found;
    }

    private CheckPart joined(List<CheckedPart> parts) {
        CheckPart all = settings.part();
        int offset = 0;
        for (CheckedPart one : parts) {
            all.append(one.part(), offset);
            offset += one.lines.length;
        }
        return all;
    }

    /** Where all examples stand, and what those say that a report shows. */
    private static final class ExampleIndex implements Examples {
        private final List<CheckedPart> parts;
        /** The number of the first example of each part, and behind them the number of all. */
        private final int[] firsts;
        private final WordStatistics words;
        private final Map<Integer, String> texts = new HashMap<>();

        ExampleIndex(List<CheckedPart> parts, WordStatistics words, String name) {
            this.parts = parts;
            this.words = words;
            this.firsts = new int[parts.size() + 1];
            long count = 0;
            for (int i = 0; i < parts.size(); i++) {
                count += parts.get(i).lines.length;
                if (count > Integer.MAX_VALUE) {
                    throw new DataException(Path.of(name),
                            "has more than " + Integer.MAX_VALUE + " examples, as many as "
                                    + "can be checked at once; check it in parts");
                }
                firsts[i + 1] = (int) count;
            }
        }

        int[] firsts() {
            return firsts;
        }

        int size() {
            return firsts[parts.size()];
        }

        void show(int number, String text) {
            texts.put(number, text);
        }

        private int part(int number) {
            int at = Arrays.binarySearch(firsts, number);
            int part = at >= 0 ? at : -at - 2;
            while (firsts[part + 1] <= number) {
                part++;
            }
            return part;
        }

        @Override
        public int file(int number) {
            return parts.get(part(number)).file;
        }

        @Override
        public long line(int number) {
            int part = part(number);
            return parts.get(part).lines[number - firsts[part]];
        }

        private String part(int number, int which) {
            String text = texts.getOrDefault(number, "\0\0");
            return text.split("\0", 3)[which];
        }

        @Override
        public String question(int number) {
            return part(number, 0);
        }

        @Override
        public String answer(int number) {
            return part(number, 1);
        }

        @Override
        public boolean isName(String name) {
            return words.isName(name);
        }

        @Override
        public String spelling(int number, String name) {
            return Corpus.spelling(texts.getOrDefault(number, name), name);
        }
    }

    /**
     * Looks at the rows of a partition: gives a {@link CheckedExample} for each that is one, then {@link
     * CheckedPart.SeenWords} and a {@link CheckedPart}. Keeps no more than a row's texts at a time.
     */
    private static final class CheckRows implements FlatMapFunction<Iterator<Tuple2<Object, Long>>, Object> {
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
                part.take(file, row, row.features().isEmpty() ? OptionalInt.empty() : OptionalInt.of(examples),
                        detector,
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
}
