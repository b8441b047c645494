package io.peft4j.train.runs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.FolderLock;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A training as its output folder tells of it, while it runs or later.
 *
 * @param name the name of the folder
 * @param info plan, settings and its state; without a plan where the folder was written by an older version
 * @param metrics what {@value #METRICS_FILE} holds, by name
 * @param unreadable lines of that file that are damaged and were left out
 * @param profile where its time went, where it has ended and was asked to say so
 */
public record TrainingRecord(String name, RunInfo info, Map<String, MetricSeries> metrics, long unreadable,
        Optional<TrainingProfile> profile) {
    /** The file of an output folder that holds an object for each update and each measurement. */
    public static final String METRICS_FILE = "metrics.jsonl";
    /** Metrics of a step that say how much was read, not how the training goes. */
    private static final String TOKENS = "tokens";

    /** Copies the metrics in their order. */
    public TrainingRecord {
        metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }

    /**
     * Reads the output folder of a training.
     *
     * @throws ConfigurationException when the folder holds no training
     * @throws io.peft4j.core.error.FileFormatException when what it says of itself is damaged
     * @throws java.io.UncheckedIOException when it cannot be read
     */
    public static TrainingRecord read(Path folder) {
        Path file = folder.resolve(METRICS_FILE);
        if (!Files.isDirectory(folder) || !isTraining(folder)) {
            throw new ConfigurationException("no training in " + folder + ": " + (Files.isDirectory(folder)
                    ? "it has no " + METRICS_FILE : "there is no such folder")
                    + "; give the output folder of a training");
        }
        RunInfo info = RunInfo.read(folder);
        if (info.state() == RunInfo.State.RUNNING && !isWrittenTo(folder)) {
            info = info.withState(RunInfo.State.INTERRUPTED);
        }
        Path name = folder.toAbsolutePath().normalize().getFileName();
        return of(name == null ? folder.toString() : name.toString(), info, file);
    }

    /**
     * Reads the output folders of trainings. One folder that is none may hold them: then they are in the order of their
     * names.
     *
     * @throws ConfigurationException when a folder holds no training
     */
    public static List<TrainingRecord> readAll(List<Path> folders) {
        List<Path> runs = folders;
        if (folders.size() == 1 && Files.isDirectory(folders.get(0)) && !isTraining(folders.get(0))) {
            try (Stream<Path> entries = Files.list(folders.get(0))) {
                runs = entries.filter(TrainingRecord::isTraining).sorted().toList();
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + folders.get(0) + ": " + AtomicFiles.reason(e), e);
            }
        }
        return (runs.isEmpty() ? folders : runs).stream().map(TrainingRecord::read).toList();
    }

    private static boolean isTraining(Path folder) {
        return Files.exists(folder.resolve(METRICS_FILE)) || Files.exists(folder.resolve(RunInfo.FILE));
    }

    /**
     * The training that writes to a folder, as it tells of itself.
     *
     * @param folder the folder, which may have no metrics yet
     * @param info what the training says
     */
    public static TrainingRecord of(Path folder, RunInfo info) {
        return of(String.valueOf(folder.toAbsolutePath().normalize().getFileName()), info,
                folder.resolve(METRICS_FILE));
    }

    private static TrainingRecord of(String name, RunInfo info, Path file) {
        if (!Files.exists(file)) {
            return new TrainingRecord(name, info, Map.of(), 0, Optional.empty());
        }
        boolean whole = !Set.of(RunInfo.State.RUNNING, RunInfo.State.INTERRUPTED, RunInfo.State.UNKNOWN)
                .contains(info.state());
        MetricsReader metrics = MetricsReader.read(file, whole);
        return new TrainingRecord(name, info, metrics.series(), metrics.unreadable(),
                TrainingProfile.read(file.resolveSibling(TrainingProfile.FILE)));
    }

    /** Whether a process that may be alive holds the folder. */
    private static boolean isWrittenTo(Path folder) {
        try {
            FolderLock.requireFree(folder);
            return false;
        } catch (ConfigurationException e) {
            return true;
        }
    }

    /** The same under another name. */
    public TrainingRecord named(String other) {
        return new TrainingRecord(other, info, metrics, unreadable, profile);
    }

    /** A metric that has values. */
    public Optional<MetricSeries> metric(String metric) {
        return Optional.ofNullable(metrics.get(metric)).filter(series -> series.steps().length > 0);
    }

    /** The last value of a metric, where it has one. */
    public OptionalDouble last(String metric) {
        return metric(metric).map(series -> OptionalDouble.of(series.last())).orElse(OptionalDouble.empty());
    }

    /** Updates done. */
    public long steps() {
        return metrics.values().stream().map(MetricSeries::steps).filter(steps -> steps.length > 0)
                .mapToLong(steps -> steps[steps.length - 1]).max().orElse(0);
    }

    /** Updates that it set out to do, where it says so; of one that is finished those that it did. */
    public OptionalLong totalSteps() {
        return info.state() == RunInfo.State.FINISHED && steps() > 0 ? OptionalLong.of(steps())
                : info.plan().containsKey("total_steps") ? OptionalLong.of(info.plan().get("total_steps"))
                        : OptionalLong.empty();
    }

    /** Tokens of the examples a second, over all updates. */
    public OptionalDouble tokensPerSecond() {
        Optional<MetricSeries> tokens = metric(TOKENS);
        Optional<MetricSeries> speed = metric("tokens_per_s");
        if (tokens.isEmpty() || speed.isEmpty() || tokens.get().values().length != speed.get().values().length) {
            return speed.map(series -> OptionalDouble.of(series.mean())).orElse(OptionalDouble.empty());
        }
        double all = 0;
        double seconds = 0;
        double[] each = tokens.get().values();
        double[] speeds = speed.get().values();
        for (int i = 0; i < each.length; i++) {
            all += each[i];
            seconds += each[i] / speeds[i];
        }
        return OptionalDouble.of(all / seconds);
    }

    @Override
    public String toString() {
        return name + ": " + info.state().word() + ", " + steps() + " steps, " + metrics.values();
    }

    /** Reads {@code metrics.jsonl}, whatever metrics it holds, also while it is being written. */
    private static final class MetricsReader {
        private static final ObjectReader JSON = new ObjectMapper().reader();
        /** How Jackson writes doubles for which JSON has no number. */
        private static final Set<String> NO_NUMBERS = Set.of("NaN", "Infinity", "-Infinity");
        private static final String STEP = "step";

        private final Map<String, Values> byName = new LinkedHashMap<>();
        private long unreadable;

        /** Values that are still being collected. */
        private static final class Values {
            private final LongStream.Builder steps = LongStream.builder();
            private final DoubleStream.Builder values = DoubleStream.builder();
            private long noNumbers;

            void add(long step, double value) {
                if (Double.isFinite(value)) {
                    steps.add(step);
                    values.add(value);
                } else {
                    noNumbers++;
                }
            }

            MetricSeries series(String name) {
                return new MetricSeries(name, steps.build().toArray(), values.build().toArray(), noNumbers);
            }
        }

        private MetricsReader() {
        }

        /**
         * Reads a file.
         *
         * @param whole whether the training has ended in order; else its last line may be half written
         * @throws UncheckedIOException when it cannot be read
         */
        static MetricsReader read(Path file, boolean whole) {
            MetricsReader metrics = new MetricsReader();
            // Not Files.lines: a byte that is no UTF-8 costs its line and not the file.
            try (BufferedReader in = new BufferedReader(new InputStreamReader(Files.newInputStream(file),
                    StandardCharsets.UTF_8))) {
                String line = in.readLine();
                while (line != null) {
                    String next = in.readLine();
                    metrics.add(line, next == null && !whole);
                    line = next;
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file + ": " + AtomicFiles.reason(e), e);
            }
            return metrics;
        }

        private void add(String line, boolean mayBeHalf) {
            try {
                JsonNode row = JSON.readTree(line);
                if (row.path(STEP).isIntegralNumber() && row.path(STEP).canConvertToLong()) {
                    add(row.path(STEP).asLong(), row);
                    return;
                }
            } catch (JsonProcessingException e) {
                if (mayBeHalf) {
                    return;
                }
            }
            unreadable++;
        }

        private void add(long step, JsonNode row) {
            row.properties().forEach(field -> {
                JsonNode value = field.getValue();
                if (!field.getKey().equals(STEP) && (value.isNumber() || NO_NUMBERS.contains(value.asText()))) {
                    byName.computeIfAbsent(field.getKey(), name -> new Values())
                            .add(step, value.isNumber() ? value.doubleValue() : Double.NaN);
                }
            });
        }

        /** The metrics that have a value, in the order in which they came; those with none but no numbers, too. */
        Map<String, MetricSeries> series() {
            Map<String, MetricSeries> all = new LinkedHashMap<>();
            byName.forEach((name, values) -> all.put(name, values.series(name)));
            return all;
        }

        /** Lines that are not what the file is made of. */
        long unreadable() {
            return unreadable;
        }
    }
}
