package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** The file {@value #NAME}: what a sweep tries, and how its trials stand; written before and after each of them. */
final class SweepFile {
    static final String NAME = "sweep.json";
    private static final int FORMAT = 1;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Map<String, String> settings;
    private final List<Trial> trials;

    private SweepFile(Path folder, Map<String, String> settings, List<Trial> trials) {
        this.file = folder.resolve(NAME);
        this.settings = settings;
        this.trials = trials;
    }

    /** The file of a sweep that begins. */
    static SweepFile begin(Path folder, Map<String, String> settings) {
        return new SweepFile(folder, settings, new ArrayList<>());
    }

    /** Whether a folder holds a sweep. */
    static boolean isThere(Path folder) {
        return Files.exists(folder.resolve(NAME));
    }

    /**
     * Reads the file of a sweep that is gone on with.
     *
     * @throws ConfigurationException when it is another sweep
     * @throws FileFormatException when it is damaged
     */
    static SweepFile resume(Path folder, Map<String, String> settings) {
        Path file = folder.resolve(NAME);
        JsonNode root = JsonFiles.read(file);
        if (root.path("format").asInt() != FORMAT) {
            throw new FileFormatException(file, "has the format " + root.path("format") + "; this version reads "
                    + FORMAT);
        }
        settings.forEach((name, value) -> {
            String before = root.path("settings").path(name).asText();
            if (!before.equals(value)) {
                throw new ConfigurationException("the sweep in " + folder + " cannot be resumed: " + name + " is "
                        + value + ", in the sweep " + before + ". Give the same options and the same space, or another "
                        + "folder");
            }
        });
        List<Trial> trials = new ArrayList<>();
        for (JsonNode row : root.path("trials")) {
            trials.add(trial(file, row));
        }
        return new SweepFile(folder, settings, trials);
    }

    static Trial trial(Path file, JsonNode row) {
        Map<String, JsonNode> values = new LinkedHashMap<>();
        row.path("values").properties().forEach(entry -> values.put(entry.getKey(), entry.getValue()));
        try {
            return new Trial(row.path("number").asInt(), values,
                    Trial.State.valueOf(row.path("state").asText().toUpperCase(Locale.ROOT)),
                    row.has("eval_loss") ? OptionalDouble.of(row.get("eval_loss").asDouble()) : OptionalDouble.empty(),
                    row.path("steps").asLong(), row.path("seconds").asDouble(),
                    row.has("message") ? Optional.of(row.get("message").asText()) : Optional.empty());
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(file, "has the state " + row.path("state"), e);
        }
    }

    /** The trials so far. */
    List<Trial> trials() {
        return List.copyOf(trials);
    }

    /** Adds a trial, or puts it in the place of the one of its number, and writes the file. */
    void put(List<Trial> some) {
        for (Trial trial : some) {
            if (trial.number() <= trials.size()) {
                trials.set(trial.number() - 1, trial);
            } else {
                trials.add(trial);
            }
        }
        AtomicFiles.writeString(file, json().toPrettyString() + "\n");
    }

    /** Everything known. */
    ObjectNode json() {
        ObjectNode root = JSON.createObjectNode().put("format", FORMAT);
        ObjectNode kept = root.putObject("settings");
        settings.forEach(kept::put);
        SweepResult.best(trials).ifPresent(best -> root.put("best", best.name()));
        root.putArray("trials");
        for (Trial trial : trials) {
            root.withArray("trials").add(json(trial));
        }
        return root;
    }

    static ObjectNode json(Trial trial) {
        ObjectNode row = JSON.createObjectNode().put("trial", trial.name()).put("number", trial.number())
                .put("state", trial.state().name().toLowerCase(Locale.ROOT));
        ObjectNode values = row.putObject("values");
        trial.values().forEach(values::set);
        trial.loss().ifPresent(loss -> row.put("eval_loss", loss));
        row.put("steps", trial.steps()).put("seconds", Math.round(10 * trial.seconds()) / 10.0);
        trial.message().ifPresent(message -> row.put("message", message));
        return row;
    }
}
