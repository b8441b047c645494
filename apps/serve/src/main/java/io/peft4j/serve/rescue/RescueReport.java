package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.AtomicFiles;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a rescue brought home.
 *
 * @param base the model that is tuned here; empty if only data and answers were fetched
 * @param models the tuned models
 * @param faults what the service would not tell
 */
public record RescueReport(Optional<String> base, List<RescuedModel> models, List<String> faults) {
    /** The page in the folder of a rescue. */
    public static final String PAGE = "rescue.html";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Copies the lists. */
    public RescueReport {
        models = List.copyOf(models);
        faults = List.copyOf(faults);
    }

    /**
     * Whether there were models, and with each was done what was asked for: it stands here now and passes what was
     * asserted; or, where nothing was to be trained, its data and answers are here.
     */
    public boolean isComplete() {
        return faults.isEmpty() && !models.isEmpty() && models.stream().allMatch(this::isDone);
    }

    /** Whether that was done with a model. */
    public boolean isDone(RescuedModel model) {
        return base.isPresent() ? model.isRescued() : model.isFetched();
    }

    /** The report as JSON. */
    public ObjectNode toJson() {
        ObjectNode json = JSON.createObjectNode().put("complete", isComplete());
        base.ifPresent(name -> json.put("base", name));
        faults.forEach(json.putArray("faults")::add);
        var list = json.putArray("models");
        Instant now = Instant.now();
        for (RescuedModel model : models) {
            ObjectNode one = list.addObject().put("model", model.model().name()).put("base", model.model().base())
                    .put("rows", model.rows()).put("golden_answers", model.answers()).put("rescued", model.isRescued());
            model.model().daysLeft(now).ifPresent(days -> one.put("days_left", days));
            model.adapter().ifPresent(path -> one.put("adapter", path.toString()));
            model.comparison().ifPresent(comparison -> one.set("comparison",
                    JSON.<ObjectNode>valueToTree(comparison).put("verdict", comparison.verdict())));
            model.assertions().ifPresent(outcome -> one.set("assertions", JSON.valueToTree(outcome)));
            model.merged().ifPresent(merged -> one.putObject("merged").put("file", merged.file().map(Path::toString)
                    .orElse(null)).put("told", merged.told()));
            model.faults().forEach(one.putArray("faults")::add);
        }
        return json;
    }

    /** Writes {@code rescue.json} and {@value #PAGE}. */
    void write(Path folder) {
        try {
            AtomicFiles.writeString(folder.resolve("rescue.json"),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(toJson()) + "\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("cannot serialize the report", e);
        }
        AtomicFiles.writeString(folder.resolve(PAGE), RescuePage.html(this, Instant.now()));
    }
}
