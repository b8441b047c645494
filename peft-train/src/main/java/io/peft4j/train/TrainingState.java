package io.peft4j.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The progress of a training, apart from its arrays. Everything else follows from it: order and dropout of an update
 * depend on the seed and the number of the update alone.
 *
 * @param step updates done
 * @param settings what decides the course of the training
 * @param evaluations measurements so far
 * @param course how far it goes, and what it knows of its rows; missing where an older version wrote it
 */
record TrainingState(long step, RunSettings settings, List<TrainingResult.Evaluation> evaluations,
        JsonNode course) {
    /** The file in a checkpoint. */
    public static final String FILE = "trainer_state.json";
    private static final int FORMAT = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    public TrainingState {
        evaluations = List.copyOf(evaluations);
    }

    /** Whether the rate of its training has begun to fall. */
    boolean isFalling() {
        return course.path("stable").asLong() > 0 && step > course.path("stable").asLong();
    }

    /** Writes {@value #FILE} into a folder. */
    public void save(Path folder) {
        ObjectNode root = JSON.createObjectNode().put("format", FORMAT).put("global_step", step);
        ObjectNode values = root.putObject("settings");
        settings.values().forEach(values::put);
        for (TrainingResult.Evaluation evaluation : evaluations) {
            ObjectNode row = root.withArray("evaluations").addObject().put("step", evaluation.step())
                    .put("epoch", evaluation.epoch()).put("eval_loss", evaluation.loss());
            if (!evaluation.measures().isEmpty()) {
                evaluation.measures().forEach(row.putObject("measures")::put);
            }
        }
        root.set("course", course);
        AtomicFiles.writeString(folder.resolve(FILE), root.toPrettyString() + "\n");
    }

    /**
     * Reads {@value #FILE} from a folder.
     *
     * @throws FileFormatException when it is damaged or of another version
     * @throws UncheckedIOException when it cannot be read
     */
    public static TrainingState load(Path folder) {
        Path file = folder.resolve(FILE);
        JsonNode root = JsonFiles.read(file);
        if (root.path("format").asInt() != FORMAT) {
            throw new FileFormatException(file, "has the format " + root.path("format") + "; this version reads "
                    + FORMAT + ". Resume with the version that wrote it, or load the adapter and train it again");
        }
        if (!root.path("global_step").isIntegralNumber() || root.path("global_step").asLong() < 1) {
            throw new FileFormatException(file, "has the step " + root.path("global_step"));
        }
        Map<String, String> settings = new LinkedHashMap<>();
        root.path("settings").properties().forEach(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
        List<TrainingResult.Evaluation> evaluations = new ArrayList<>();
        root.path("evaluations").forEach(row -> {
            Map<String, Double> measures = new LinkedHashMap<>();
            row.path("measures").properties().forEach(each -> measures.put(each.getKey(), each.getValue().asDouble()));
            evaluations.add(new TrainingResult.Evaluation(row.path("step").asLong(), row.path("epoch").asDouble(),
                    row.path("eval_loss").asDouble(), measures));
        });
        return new TrainingState(root.get("global_step").asLong(), new RunSettings(settings), evaluations,
                root.path("course"));
    }
}
