package io.peft4j.data.clean;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.ExampleWriter;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.ParallelRows;
import io.peft4j.data.format.TableLayout;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.LabelCheck;
import io.peft4j.data.near.Relations;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.Statement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Cleans data by steps, one after the other, and counts what each of them did:
 *
 * <pre>{@code
 * CleaningReport report = DataPipeline.standard().then(CleaningStep.named("redact")).dropNearDuplicates()
 *         .run(Path.of("raw.csv"), Path.of("clean.jsonl"));
 * }</pre>
 *
 * <p>A pipeline is used once. Memory does not grow with the file but for some bytes a row, as the steps say.
 */
@Internal(shared = true)
public final class DataPipeline {
    /** Steps that mend rows of a task, whose texts are not changed. */
    private static final List<String> OF_TASKS = List.of("encoding", LabelSpelling.NAME, "duplicates", "redact");

    private final List<CleaningStep> steps = new ArrayList<>();
    private final LabelCheck labels = new LabelCheck();
    private boolean near;
    private Consumer<Long> listener = rows -> {
    };

    private DataPipeline() {
    }

    /** A pipeline without steps. */
    public static DataPipeline empty() {
        return new DataPipeline();
    }

    /** A pipeline of the steps {@link CleaningStep#STANDARD}. */
    public static DataPipeline standard() {
        DataPipeline pipeline = new DataPipeline();
        CleaningStep.STANDARD.forEach(name -> pipeline.then(CleaningStep.named(name)));
        return pipeline;
    }

    /** Adds a step at the end. */
    public DataPipeline then(CleaningStep step) {
        steps.add(step);
        return this;
    }

    /** In the end also drops examples that say nearly the same as an earlier one. */
    public DataPipeline dropNearDuplicates() {
        near = true;
        return this;
    }

    /** Told how many rows have been read. */
    public DataPipeline listener(Consumer<Long> newListener) {
        listener = newListener;
        return this;
    }

    /**
     * Cleans examples in memory.
     *
     * @return those that are left
     */
    public List<Example> clean(List<? extends Example> examples) {
        examples.forEach(example -> labels.add(0, example.origin().line(), Statement.of(example)));
        steps.replaceAll(this::spelling);
        List<StepReport> reports = reports();
        List<Example> kept = new ArrayList<>();
        examples.forEach(example -> clean(example, reports).ifPresent(kept::add));
        if (!near) {
            return kept;
        }
        try (Corpus corpus = new Corpus()) {
            kept.forEach(example -> corpus.add(0, 0, Corpus.Features.of(example)));
            BitSet repeated = bits(Relations.of(corpus).repeated());
            List<Example> different = new ArrayList<>();
            for (int i = 0; i < kept.size(); i++) {
                if (!repeated.get(i)) {
                    different.add(kept.get(i));
                }
            }
            return different;
        }
    }

    private static BitSet bits(int... numbers) {
        BitSet bits = new BitSet();
        for (int number : numbers) {
            bits.set(number);
        }
        return bits;
    }

    /**
     * Cleans a file. Rows that are not examples are left out, counted and listed.
     *
     * @param in the file
     * @param out where the cleaned examples go, in the format of the file; CSV or TSV where its name ends so, with the
     *     separators and columns of the file where that is a table, too; else JSON Lines
     * @throws ConfigurationException when both are the same file
     * @throws DataException when no example is left
     * @throws UncheckedIOException when a file cannot be read or written
     */
    public CleaningReport run(Path in, Path out) {
        return run(DataFile.of(in), out);
    }

    /** As {@link #run(Path, Path)}, of a file with its format, names of columns or encoding given. */
    public CleaningReport run(DataFile in, Path out) {
        DataFiles.requireFile(in.path());
        DataFiles.requireOther(in.path(), out);
        readLabels(in);
        return near ? runNear(in, out) : write(in, out, ExampleWriter.isTable(out), Optional.empty());
    }

    /** Reads the labels of all rows, where they have some, to know how each is written. */
    private void readLabels(DataFile in) {
        try (OpenRows rows = OpenRows.open(in)) {
            Optional<RowKind<?>> kind = rows.first().flatMap(RowKind::labelled);
            if (kind.isPresent() && steps.stream().anyMatch(step -> step.name().equals(LabelSpelling.NAME))) {
                OpenRows read = labels.taking(0, kind.get(), rows);
                while (read.next().isPresent()) {
                    continue;
                }
                steps.replaceAll(this::spelling);
            }
        }
    }

    private CleaningStep spelling(CleaningStep step) {
        return step instanceof LabelSpelling ? new LabelSpelling(labels.spellings()) : step;
    }

    /** Cleans once to find the near duplicates among what is left, and once more to write. */
    private CleaningReport runNear(DataFile in, Path out) {
        Path first;
        try {
            first = Files.createTempFile("peft4j-clean", ".jsonl.zst");
            first.toFile().deleteOnExit();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a temporary file: " + e.getMessage(), e);
        }
        try (Corpus corpus = new Corpus()) {
            CleaningReport report = write(in, first, ExampleWriter.isTable(out), Optional.of(corpus));
            BitSet repeated = bits(Relations.of(corpus).repeated());
            StepReport step = new StepReport("near_duplicates");
            List<StepReport> all = new ArrayList<>(report.steps());
            all.add(step);
            long kept = copy(in, first, out, report.format(), repeated, step, corpus);
            return new CleaningReport(report.rows(), kept, report.rejectedRows(), report.format(), report.rejected(),
                    all, report.left());
        } finally {
            try {
                Files.deleteIfExists(first);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot remove " + first + ": " + e.getMessage(), e);
            }
        }
    }

    private static long copy(DataFile in, Path first, Path out, DataFormat format, BitSet left, StepReport step,
            Corpus corpus) {
        try (ExampleReader reader = ExampleReader.open(DataFile.of(first).withFormat(format));
                ExampleWriter writer = ExampleWriter.open(out, format, ExampleWriter.isTable(out) ? layout(in)
                        : Optional.empty())) {
            int number = 0;
            for (Optional<ExampleReader.Item> item = reader.next(); item.isPresent(); item = reader.next()) {
                Example example = item.get().example().orElseThrow();
                if (left.get(number)) {
                    step.dropped(example.at(new io.peft4j.data.example.Origin("", corpus.line(number))));
                } else {
                    writer.write(example, item.get().row().fields(), example);
                }
                number++;
            }
            writer.commit();
            return writer.rows();
        }
    }

    private static Optional<TableLayout> layout(DataFile in) {
        try (ExampleReader reader = ExampleReader.open(in)) {
            reader.recognized();
            return reader.layout();
        }
    }

    private List<StepReport> reports() {
        return steps.stream().map(step -> new StepReport(step.name())).toList();
    }

    /** Cleans once; the rows keep the keys of a table that is read where they are to become one. */
    private CleaningReport write(DataFile in, Path out, boolean table, Optional<Corpus> corpus) {
        List<CleaningReport.Rejected> rejected = new ArrayList<>();
        long[] counts = new long[2];
        try (ExampleReader reader = ExampleReader.of(RowKind.whole(OpenRows.open(in)))) {
            DataFormat rows = reader.recognized();
            steps.removeIf(step -> rows == DataFormat.TASK && !OF_TASKS.contains(step.name()));
            List<StepReport> reports = reports();
            try (ExampleWriter writer = ExampleWriter.open(out, rows, table ? reader.layout() : Optional.empty())) {
                ParallelRows.forEach(reader, item -> item, item -> {
                    counts[0]++;
                    if (item.example().isEmpty()) {
                        counts[1]++;
                        CleaningReport.Rejected.add(rejected, item);
                        return;
                    }
                    clean(item.example().get(), reports).ifPresent(example -> {
                        corpus.ifPresent(c -> c.add(0, item.row().line(), Corpus.Features.of(example)));
                        writer.write(item.example().get(), item.row().fields(), example);
                    });
                }, listener::accept);
                if (writer.rows() == 0) {
                    throw new DataException(in.path(), counts[0] == 0 ? "contains no rows" : "none of its " + counts[0]
                            + " rows is left after cleaning; " + counts[1] + " of them are not examples"
                            + rejected.stream().findFirst().map(row -> "; the first is line " + row.line() + ": "
                                    + row.message()).orElse(""));
                }
                writer.commit();
                return new CleaningReport(counts[0], writer.rows(), counts[1], rows, rejected, reports,
                        labels.faults(List.of(in.toString()), PiiDetector.standard()::redact).stream()
                                .filter(fault -> !fault.code().equals("label_spelling"))
                                .map(LabelCheck.Fault::sentence).toList());
            }
        }
    }

    private Optional<Example> clean(Example example, List<StepReport> reports) {
        Example current = example;
        for (int i = 0; i < steps.size(); i++) {
            Optional<Example> next = steps.get(i).apply(current);
            if (next.isEmpty()) {
                reports.get(i).dropped(current);
                return next;
            }
            if (!next.get().equals(current)) {
                reports.get(i).changed(current, next.get());
            }
            current = next.get();
        }
        return Optional.of(current);
    }

    /**
     * Gives labels the spaces and the case that most rows have.
     *
     * @param meant labels by their other spellings
     */
    record LabelSpelling(Map<String, String> meant) implements CleaningStep {
        static final String NAME = "labels";

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public Optional<Example> apply(Example example) {
            if (example instanceof ClassificationExample row) {
                return Optional.of(new ClassificationExample(row.text(), (String) mended(row.label()), row.extra(),
                        row.origin()));
            }
            if (!(example instanceof TextExample row)) {
                return Optional.of(example);
            }
            Map<String, Object> fields = new LinkedHashMap<>(row.extra());
            List.of("label", "labels", "label_probabilities").forEach(key -> fields.computeIfPresent(key,
                    (k, value) -> mended(value)));
            return Optional.of(new TextExample(row.text(), fields, row.origin()));
        }

        private Object mended(Object value) {
            if (value instanceof Map<?, ?> probabilities) {
                Map<Object, Object> named = new LinkedHashMap<>();
                probabilities.forEach((label, p) -> named.put(mended(label), p));
                return named;
            }
            return value instanceof List<?> list ? list.stream().map(this::mended).toList()
                    : meant.containsKey(value) ? meant.get(value) : value;
        }
    }
}
