package io.peft4j.data.clean;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.ExampleWriter;
import io.peft4j.data.format.ParallelRows;
import io.peft4j.data.near.Groups;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Splits a file into files, row by row: {@code train.jsonl}, {@code validation.jsonl} and {@code test.jsonl} for three
 * parts, train and test for two, {@code fold-1.jsonl} and so on for folds and for more parts; and {@code split.json},
 * which says how.
 */
@Internal(shared = true)
public final class FileSplit {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = LoggerFactory.getLogger(FileSplit.class);
    private static final String ENDING = ".jsonl";
    private static final Pattern PART = Pattern.compile("(?:train|validation|test|fold-[0-9]+)\\.jsonl");
    /** Name of the file in the folder that says what went where. */
    public static final String DESCRIPTION = "split.json";

    private final SplitRule rule;
    private BiConsumer<String, Long> listener = (stage, rows) -> {
    };

    /** A split by a rule. */
    public FileSplit(SplitRule rule) {
        this.rule = rule;
    }

    /** Sets a listener, which gets the step and the number of rows seen. */
    public FileSplit listener(BiConsumer<String, Long> newListener) {
        listener = newListener;
        return this;
    }

    /** The names of the parts. */
    public List<String> names() {
        int count = rule.ratios().size();
        if (!rule.folds() && count <= 3) {
            return count == 2 ? List.of("train", "test") : List.of("train", "validation", "test");
        }
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            names.add("fold-" + i);
        }
        return names;
    }

    /**
     * Splits a file. Rows that are not examples are left out, counted and listed in {@code split.json}.
     *
     * @param in the file
     * @param out the folder for the parts, made where it is missing
     * @return the content of {@code split.json}
     * @throws DataException when the file has no example
     * @throws ConfigurationException when a part would replace the file, the folder holds a part of another split, an
     *     example lacks a field that the rule names, or there are too few
     * @throws java.io.UncheckedIOException when a file cannot be read or written
     */
    public ObjectNode run(Path in, Path out) {
        return run(DataFile.of(in), out);
    }

    /** As {@link #run(Path, Path)}, of a file with its format, names of columns or encoding given. */
    public ObjectNode run(DataFile file, Path out) {
        Path in = file.path();
        DataFiles.requireFile(in);
        names().forEach(name -> DataFiles.requireOther(in, out.resolve(name + ENDING)));
        DataFiles.requireOther(in, out.resolve(DESCRIPTION));
        requireNoOtherParts(in, out);
        List<CleaningReport.Rejected> rejected = new ArrayList<>();
        long[] counts = new long[2];
        try (DataSplit split = new DataSplit(rule)) {
            DataFormat rows;
            try (ExampleReader reader = ExampleReader.open(file)) {
                rows = reader.recognized();
                ParallelRows.forEach(reader, item -> new Read(item, item.example().map(split::item)), read -> {
                    counts[0]++;
                    if (read.split().isEmpty()) {
                        counts[1]++;
                        CleaningReport.Rejected.add(rejected, read.item());
                    }
                    read.split().ifPresent(split::add);
                }, done -> listener.accept("reading", done));
            }
            if (counts[0] == counts[1]) {
                throw new DataException(in, "contains no examples to split" + rejected.stream().findFirst()
                        .map(first -> "; the first of " + counts[1] + " invalid rows is line " + first.line()
                                + ": " + first.message())
                        .orElse(""));
            }
            listener.accept("grouping", counts[0]);
            int[] parts = split.parts();
            write(file, out, rows, parts);
            ObjectNode json = describe(in, rows, counts, rejected, parts, split.groups().orElseThrow());
            AtomicFiles.writeString(out.resolve(DESCRIPTION), json.toPrettyString() + "\n");
            return json;
        }
    }

    /** A part that another split left would be taken for one of this, whose rows it may hold once more. */
    private void requireNoOtherParts(Path in, Path out) {
        if (!Files.isDirectory(out)) {
            return;
        }
        try (Stream<Path> files = Files.list(out)) {
            for (Path file : files.filter(path -> PART.matcher(path.getFileName().toString()).matches()).toList()) {
                boolean ours = names().contains(file.getFileName().toString().replace(ENDING, ""));
                if (!ours && !Files.isSameFile(file, in)) {
                    throw new ConfigurationException(file + " belongs to another split; remove it, or choose another "
                            + "folder");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + out + ": " + e.getMessage(), e);
        }
    }

    private record Read(ExampleReader.Item item, Optional<DataSplit.Item> split) {
    }

    private void write(DataFile file, Path out, DataFormat rows, int... parts) {
        List<ExampleWriter> writers = new ArrayList<>();
        try (ExampleReader reader = ExampleReader.open(file.withFormat(rows))) {
            names().forEach(name -> writers.add(ExampleWriter.open(out.resolve(name + ENDING), rows)));
            int number = 0;
            for (Optional<ExampleReader.Item> item = reader.next(); item.isPresent(); item = reader.next()) {
                if (item.get().example().isPresent()) {
                    writers.get(parts[number]).write(item.get().example().get());
                    number++;
                }
            }
            if (number != parts.length) {
                throw new DataException(file.path(), "changed while it was being split");
            }
            writers.forEach(ExampleWriter::commit);
        } finally {
            writers.forEach(ExampleWriter::close);
        }
    }

    private ObjectNode describe(Path in, DataFormat rows, long[] counts, List<CleaningReport.Rejected> rejected,
            int[] parts, Groups groups) {
        ObjectNode json = JSON.createObjectNode();
        json.put("source", in.toString()).put("format", rows.word());
        json.put("rows", counts[0]).put("accepted", counts[0] - counts[1]).put("rejected", counts[1]);
        json.set("rejected_rows", JSON.valueToTree(rejected));
        ObjectNode how = json.putObject("rule");
        ArrayNode ratios = how.putArray("ratios");
        rule.ratios().forEach(ratios::add);
        how.put("seed", rule.seed()).put("order", rule.order().name().toLowerCase(Locale.ROOT))
                .put("group", rule.field().orElse(rule.grouping().name().toLowerCase(Locale.ROOT)));
        rule.stratify().ifPresent(name -> how.put("stratify", name));
        rule.time().ifPresent(name -> how.put("time", name));
        List<int[]> several = groups.several();
        int grouped = several.stream().mapToInt(group -> group.length).sum();
        json.put("groups", parts.length - grouped + several.size());
        json.put("largest_group", several.stream().mapToInt(group -> group.length).max().orElse(1));
        ObjectNode list = json.putObject("parts");
        for (int part = 0; part < rule.ratios().size(); part++) {
            int number = part;
            long count = Arrays.stream(parts).filter(p -> p == number).count();
            if (count == 0) {
                LOG.warn("{}{} has no examples, since groups stay together (groups: {}, parts: {})",
                        names().get(part), ENDING, json.get("groups"), rule.ratios().size());
            }
            list.putObject(names().get(part)).put("file", names().get(part) + ENDING).put("rows", count)
                    .put("share", (double) count / parts.length);
        }
        return json;
    }
}
