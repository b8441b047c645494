package io.peft4j.serve.rescue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What an account has on a service.
 *
 * @param models its tuned models, with the jobs that made them
 * @param jobs how many jobs there are
 * @param files how many files there are
 * @param faults what the service would not tell
 */
@Internal(shared = true)
public record Inventory(List<TunedModel> models, int jobs, int files, List<String> faults) {
    private static final String TUNED = "ft:";

    /** Copies the lists. */
    public Inventory {
        models = List.copyOf(models);
        faults = List.copyOf(faults);
    }

    /** Asks a service. What cannot be listed is a fault, unless nothing can. */
    static Inventory of(Service service) {
        List<String> faults = new ArrayList<>();
        List<JsonNode> models = listed(service, "/models", faults);
        List<JsonNode> jobs = listed(service, "/fine_tuning/jobs", faults);
        List<JsonNode> files = listed(service, "/files", faults);
        if (faults.size() == 3) {
            throw new ServiceException(0, "cannot list what the service has: " + String.join("; ",
                    new LinkedHashSet<>(faults)));
        }
        Map<String, OptionalLong> ends = new LinkedHashMap<>();
        models.forEach(model -> ends.put(model.path("id").asText(), end(model)));
        Map<String, TunedModel> tuned = new LinkedHashMap<>();
        jobs.stream().filter(job -> job.path("fine_tuned_model").isTextual())
                .forEach(job -> tuned.put(job.get("fine_tuned_model").asText(), model(job, ends)));
        ends.keySet().stream().filter(id -> id.startsWith(TUNED) && !id.contains(":ckpt-"))
                .forEach(id -> tuned.computeIfAbsent(id, name -> new TunedModel(name, baseOf(name), Optional.empty(),
                        Optional.empty(), Optional.empty(), "unknown", Optional.empty(), Optional.empty(),
                        Optional.empty(), ends.get(name))));
        return new Inventory(List.copyOf(tuned.values()), jobs.size(), files.size(), faults);
    }

    private static List<JsonNode> listed(Service service, String path, List<String> faults) {
        try {
            return service.list(path);
        } catch (ServiceException e) {
            faults.add(e.getMessage());
            return List.of();
        }
    }

    private static TunedModel model(JsonNode job, Map<String, OptionalLong> ends) {
        String name = job.get("fine_tuned_model").asText();
        String method = job.path("method").path("type").asText("supervised");
        JsonNode chosen = job.path("method").path(method).path("hyperparameters");
        JsonNode values = chosen.isObject() ? chosen : job.path("hyperparameters");
        return new TunedModel(name, job.path("model").asText(baseOf(name)), text(job, "id"), text(job, "training_file"),
                text(job, "validation_file"), method, whole(values, "n_epochs"), whole(values, "batch_size"),
                values.path("learning_rate_multiplier").isNumber()
                        ? Optional.of(values.get("learning_rate_multiplier").asDouble()) : Optional.empty(),
                ends.getOrDefault(name, OptionalLong.empty()));
    }

    private static OptionalLong end(JsonNode model) {
        JsonNode date = model.path("shutdown_date");
        if (date.isIntegralNumber()) {
            return OptionalLong.of(date.asLong());
        }
        try {
            return date.isTextual() ? OptionalLong.of(java.time.LocalDate.parse(date.asText().substring(0, 10))
                    .atStartOfDay(java.time.ZoneOffset.UTC).toEpochSecond()) : OptionalLong.empty();
        } catch (java.time.DateTimeException | StringIndexOutOfBoundsException e) {
            return OptionalLong.empty();
        }
    }

    /** Of {@code ft:BASE:...}. */
    private static String baseOf(String name) {
        String[] parts = name.split(":");
        return parts.length > 1 ? parts[1] : name;
    }

    private static Optional<String> text(JsonNode node, String key) {
        return Optional.of(node.path(key)).filter(JsonNode::isTextual).map(JsonNode::asText);
    }

    private static Optional<Integer> whole(JsonNode node, String key) {
        return Optional.of(node.path(key)).filter(JsonNode::isInt).map(JsonNode::asInt);
    }
}
