package io.peft4j.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.train.runs.TrainingRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file {@value #NAME} of an output folder: one object a line, there as soon as its update or measurement is done.
 * Metrics that cannot be written do not end a training that has run for hours: a warning says so.
 */
final class MetricsFile implements TrainingListener, AutoCloseable {
    /** The file in the output folder. */
    public static final String NAME = TrainingRecord.METRICS_FILE;
    private static final Logger LOG = LoggerFactory.getLogger(MetricsFile.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Writer out;
    private boolean begun;
    private boolean broken;

    /** Metrics that go to {@code out}; tests put a disk that is full there. */
    public MetricsFile(Path file, Writer out, boolean begun) {
        this.file = file;
        this.out = out;
        this.begun = begun;
    }

    /**
     * Continues after so many updates; of what is there the lines up to there stay.
     *
     * @throws UncheckedIOException when the file cannot be written
     */
    public static MetricsFile open(Path folder, long steps) {
        Path file = folder.resolve(NAME);
        try (Closer opened = new Closer()) {
            if (Files.exists(file)) {
                String kept = steps == 0 ? "" : Files.readAllLines(file).stream().filter(line -> isUpTo(steps, line))
                        .map(line -> line + "\n").collect(Collectors.joining());
                AtomicFiles.writeString(file, kept);
            }
            MetricsFile metrics = new MetricsFile(file, opened.add(Files.newBufferedWriter(file,
                    StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND)), steps > 0);
            opened.keep();
            return metrics;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Whether a line tells of an update or measurement up to a step; one that was cut off by a crash does not. */
    private static boolean isUpTo(long steps, String line) {
        try {
            JsonNode step = JSON.readTree(line).path("step");
            return step.isIntegralNumber() && step.asLong() <= steps;
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    @Override
    public void onStep(StepMetrics step) {
        write(MetricsJson.of(step));
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        write(MetricsJson.of(evaluation));
    }

    private void write(ObjectNode line) {
        if (broken) {
            return;
        }
        try {
            begun = true;
            out.write(line + "\n");
            out.flush();
        } catch (IOException e) {
            broken = true;
            LOG.warn("{} ends here, the training continues: {}", file, AtomicFiles.reason(e));
        }
    }

    /** A training that failed before its first figure leaves no trace that would stand in the way of the next. */
    @Override
    public void close() {
        try {
            out.close();
            if (!begun) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.warn("cannot close {}: {}", file, AtomicFiles.reason(e));
        }
    }
}
