package io.peft4j.trackers;

import io.peft4j.core.io.AtomicFiles;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;

/**
 * A table with a row for each update and each measurement: {@code step}, and a column for each name of
 * {@code metrics.jsonl}; a value that a row does not have stays empty. The file is written again when a row brings a
 * new column, and appended to otherwise.
 */
public final class CsvTracker implements Tracker {
    private static final String STEP = "step";
    private static final CSVFormat FORMAT = CSVFormat.DEFAULT.builder().setRecordSeparator('\n').get();

    private final Optional<Path> file;

    /** A table in {@code metrics.csv} in the folder of the training. */
    public CsvTracker() {
        this.file = Optional.empty();
    }

    /** A table in this file. */
    public CsvTracker(Path file) {
        this.file = Optional.of(file);
    }

    @Override
    public String name() {
        return "csv";
    }

    @Override
    public String form() {
        return "csv[=FILE]";
    }

    @Override
    public CsvTracker at(String place) {
        return new CsvTracker(Path.of(place));
    }

    @Override
    public TrackedRun begin(RunDescription run) throws IOException {
        Table table = new Table(file.orElseGet(() -> run.folder().resolve("metrics.csv")));
        if (run.doneSteps() > 0 && Files.exists(table.file)) {
            table.read(run.doneSteps());
        }
        table.write();
        return table;
    }

    /** The rows so far. */
    private static final class Table implements TrackedRun {
        private final Path file;
        private final Set<String> columns = new LinkedHashSet<>(List.of(STEP));
        private final List<Map<String, String>> rows = new ArrayList<>();

        Table(Path file) {
            this.file = file;
        }

        /** Continues after so many updates. */
        void read(long steps) throws IOException {
            for (CSVRecord row : CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get()
                    .parse(new StringReader(Files.readString(file)))) {
                Map<String, String> values = new LinkedHashMap<>(row.toMap());
                values.values().removeIf(String::isEmpty);
                if (Long.parseLong(values.get(STEP)) <= steps) {
                    rows.add(values);
                    columns.addAll(values.keySet());
                }
            }
        }

        @Override
        public void log(List<MetricRow> measured) throws IOException {
            boolean wider = false;
            int before = rows.size();
            for (MetricRow row : measured) {
                Map<String, String> values = new LinkedHashMap<>();
                values.put(STEP, Long.toString(row.step()));
                row.values().forEach((name, value) -> values.put(name, Double.toString(value)));
                wider |= columns.addAll(values.keySet());
                rows.add(values);
            }
            if (wider) {
                write();
            } else {
                Files.writeString(file, text(rows.subList(before, rows.size())),
                        java.nio.file.StandardOpenOption.APPEND);
            }
        }

        private void write() throws IOException {
            Map<String, String> header = new LinkedHashMap<>();
            columns.forEach(column -> header.put(column, column));
            AtomicFiles.writeString(file, text(List.of(header)) + text(rows));
        }

        private String text(List<Map<String, String>> some) throws IOException {
            StringWriter out = new StringWriter();
            try (CSVPrinter printer = new CSVPrinter(out, FORMAT)) {
                for (Map<String, String> row : some) {
                    printer.printRecord(columns.stream().map(column -> row.getOrDefault(column, "")).toList());
                }
            }
            return out.toString();
        }

        @Override
        public void end(RunEnd end) {
            // Every row is there already.
        }
    }
}
