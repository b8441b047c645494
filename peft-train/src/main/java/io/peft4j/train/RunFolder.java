package io.peft4j.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.AdapterCheckpoint;
import io.peft4j.core.peft.Passport;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The output folder of a training: {@value #METRICS}, one object a line as it happens, checkpoints, and in the end the
 * adapter with the tokenizer beside it.
 *
 * <p>Metrics that cannot be written do not end a training that has run for hours: a warning says so.
 */
final class RunFolder implements TrainingListener, AutoCloseable {
    static final String METRICS = "metrics.jsonl";
    private static final Logger LOG = LoggerFactory.getLogger(RunFolder.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final PeftModel model;
    private final Checkpoints checkpoints;
    private final Writer metrics;
    private boolean begun;
    private boolean broken;

    private RunFolder(PeftModel model, Checkpoints checkpoints, Writer metrics, boolean begun) {
        this.folder = checkpoints.output();
        this.model = model;
        this.checkpoints = checkpoints;
        this.metrics = metrics;
        this.begun = begun;
    }

    /**
     * Checks that a folder holds no run.
     *
     * @throws ConfigurationException when it does
     */
    static void requireFree(PeftModel model, Checkpoints checkpoints) {
        Path folder = checkpoints.output();
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new ConfigurationException("the output folder " + folder + " is a file; give another name");
        }
        List<Path> signs = new ArrayList<>(List.of(folder.resolve(METRICS)));
        signs.addAll(adapterFiles(folder, model));
        signs.addAll(checkpoints.all());
        for (Path sign : signs) {
            if (Files.exists(sign)) {
                throw new ConfigurationException("the output folder " + folder + " already holds a run ("
                        + folder.relativize(sign) + "); give another folder, or move this one away");
            }
        }
    }

    /**
     * Where a training is to go on from: the last checkpoint; empty where the folder holds none, also where a training
     * was interrupted before its first.
     *
     * @throws ConfigurationException when it holds an adapter, but no checkpoint
     */
    static Optional<Path> resumePoint(PeftModel model, Checkpoints checkpoints) {
        Optional<Path> latest = checkpoints.latest();
        if (latest.isEmpty() && adapterFiles(checkpoints.output(), model).stream().anyMatch(Files::exists)) {
            throw new ConfigurationException("the output folder " + checkpoints.output() + " holds an adapter, but no "
                    + "checkpoint to go on from; give another folder, or load the adapter and train it anew");
        }
        return latest;
    }

    private static List<Path> adapterFiles(Path folder, PeftModel model) {
        return adapterFolders(folder, model).stream().flatMap(adapter -> Stream.of(
                adapter.resolve(AdapterCheckpoint.CONFIG_FILE), adapter.resolve(AdapterCheckpoint.WEIGHTS_FILE)))
                .toList();
    }

    /** Where {@link PeftModel#saveAdapter} puts the model's adapters. */
    private static List<Path> adapterFolders(Path folder, PeftModel model) {
        return model.adapterNames().stream()
                .map(name -> name.equals(PeftModel.DEFAULT_ADAPTER) ? folder : folder.resolve(name)).toList();
    }

    /**
     * Makes the folder and begins the metrics, so that a folder which cannot be written is found out before the
     * training and not after it.
     *
     * @throws ConfigurationException when it holds a run already
     * @throws UncheckedIOException when it cannot be written
     */
    static RunFolder create(PeftModel model, Checkpoints checkpoints) {
        requireFree(model, checkpoints);
        Path folder = checkpoints.output();
        try {
            Files.createDirectories(folder);
            return of(model, checkpoints, Files.newBufferedWriter(folder.resolve(METRICS), StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        } catch (FileAlreadyExistsException e) {
            throw new ConfigurationException("another training has just begun to write to " + folder, e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to the output folder " + folder + ": " + e.getMessage(), e);
        }
    }

    /** A folder whose metrics go to {@code metrics}; tests put a disk that is full there. */
    static RunFolder of(PeftModel model, Checkpoints checkpoints, Writer metrics) {
        return new RunFolder(model, checkpoints, metrics, false);
    }

    /**
     * Goes on with a folder after so many updates. Of the metrics those up to there stay.
     *
     * @throws UncheckedIOException when it cannot be written
     */
    static RunFolder resume(PeftModel model, Checkpoints checkpoints, long steps) {
        Path file = checkpoints.output().resolve(METRICS);
        try {
            List<String> kept = Files.exists(file) && steps > 0
                    ? Files.readAllLines(file).stream().filter(line -> isUpTo(steps, line)).toList() : List.of();
            AtomicFiles.writeString(file, kept.stream().map(line -> line + "\n").collect(Collectors.joining()));
            return new RunFolder(model, checkpoints, Files.newBufferedWriter(file, StandardCharsets.UTF_8,
                    StandardOpenOption.APPEND), steps > 0);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot go on with " + file + ": " + e.getMessage(), e);
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

    /** The folder. */
    Path path() {
        return folder;
    }

    /** Adds a checkpoint, if it is time for one. */
    void addCheckpointWhereDue(TrainingRun run) {
        if (checkpoints.isDue(run.stepsDone())) {
            addCheckpoint(run);
        }
    }

    /** Adds a checkpoint. */
    void addCheckpoint(TrainingRun run) {
        checkpoints.add(run.stepsDone(), run::save);
    }

    @Override
    public void onStep(StepMetrics step) {
        write(MetricsJson.of(step));
    }

    @Override
    public void onEvaluation(long step, double epoch, double evalLoss) {
        write(MetricsJson.of(new TrainingResult.Evaluation(step, epoch, evalLoss)));
    }

    private void write(ObjectNode line) {
        if (broken) {
            return;
        }
        try {
            begun = true;
            metrics.write(line + "\n");
            metrics.flush();
        } catch (IOException e) {
            broken = true;
            LOG.warn("cannot write {}, which ends here; the training goes on", folder.resolve(METRICS), e);
        }
    }

    /** Notes beside each trained adapter what it was made from. */
    void writePassports(RunSettings settings) {
        for (String name : model.activeAdapters()) {
            Passport.of(model, name, settings.values(), List.of())
                    .write(name.equals(PeftModel.DEFAULT_ADAPTER) ? folder : folder.resolve(name));
        }
    }

    /**
     * Saves the adapter, and looks at what stands there afterwards.
     *
     * @throws UncheckedIOException when it cannot be written; no half of it stays
     */
    void saveAdapter() {
        try {
            model.saveAdapter(folder);
        } catch (UncheckedIOException e) {
            adapterFolders(folder, model).forEach(RunFolder::removeHalf);
            throw new UncheckedIOException(e.getMessage() + " What was trained is still in the model: make room and "
                    + "call saveAdapter", e.getCause());
        }
        for (Path adapter : adapterFolders(folder, model)) {
            AdapterCheckpoint.readConfig(adapter);
            SafetensorsFile.open(adapter.resolve(AdapterCheckpoint.WEIGHTS_FILE)).close();
        }
    }

    /** The weights are written first; without the configuration they are not an adapter and only fill the disk. */
    private static void removeHalf(Path adapter) {
        Path weights = adapter.resolve(AdapterCheckpoint.WEIGHTS_FILE);
        if (AdapterCheckpoint.isAdapter(adapter) || !Files.isRegularFile(weights)) {
            return;
        }
        try {
            Files.delete(weights);
        } catch (IOException e) {
            // The failure that led here is the one to report.
            LOG.warn("cannot remove {}", weights, e);
        }
    }

    /** A training that failed before its first figure leaves no trace that would stand in the way of the next. */
    @Override
    public void close() {
        try {
            metrics.close();
            if (!begun) {
                Files.deleteIfExists(folder.resolve(METRICS));
            }
        } catch (IOException e) {
            LOG.warn("cannot close {}", folder.resolve(METRICS), e);
        }
    }
}
