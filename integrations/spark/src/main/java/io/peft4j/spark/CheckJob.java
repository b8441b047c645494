package io.peft4j.spark;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import io.peft4j.data.near.WordStatistics;
import io.peft4j.data.report.CheckEnd;
import io.peft4j.data.report.CheckPart;
import io.peft4j.data.report.DataReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;
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
}
