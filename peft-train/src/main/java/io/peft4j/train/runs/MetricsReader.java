package io.peft4j.train.runs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.peft4j.core.io.AtomicFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Reads {@code metrics.jsonl}, whatever metrics it holds, also while it is being written. */
final class MetricsReader {
    private static final ObjectReader JSON = new ObjectMapper().reader();
    /** How Jackson writes doubles for which JSON has no number. */
    private static final Set<String> NO_NUMBERS = Set.of("NaN", "Infinity", "-Infinity");
    private static final String STEP = "step";

    private final Map<String, Values> byName = new LinkedHashMap<>();
    private long unreadable;

    /** Values that are still being collected. */
    private static final class Values {
        private long[] steps = new long[64];
        private double[] values = new double[64];
        private int count;
        private long noNumbers;

        void add(long step, double value) {
            if (!Double.isFinite(value)) {
                noNumbers++;
                return;
            }
            if (count == steps.length) {
                steps = Arrays.copyOf(steps, 2 * count);
                values = Arrays.copyOf(values, 2 * count);
            }
            steps[count] = step;
            values[count++] = value;
        }

        MetricSeries series(String name) {
            return new MetricSeries(name, Arrays.copyOf(steps, count), Arrays.copyOf(values, count), noNumbers);
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
