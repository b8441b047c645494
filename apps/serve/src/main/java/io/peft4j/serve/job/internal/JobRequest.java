package io.peft4j.serve.job.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Json;
import java.util.List;
import java.util.Set;

/**
 * What a client asks for when it makes a job: checked field by field, so that nothing is ignored and nothing fails
 * hours later that could be seen now.
 */
public final class JobRequest {
    private static final Set<String> FIELDS = Set.of("model", "training_file", "validation_file", "suffix", "seed",
            "metadata", "integrations", "method", "hyperparameters");
    private static final int MOST_SUFFIX = 64;
    private static final int MOST_PAIRS = 16;
    private static final int MOST_KEY = 64;
    private static final int MOST_VALUE = 512;
    private static final int MOST_INTEGRATIONS = 5;
    /** Where none is given: the same job twice gives the same model. */
    private static final long SEED = 42;

    private JobRequest() {
    }

    /**
     * The request with all fields that a job has.
     *
     * @throws ApiException when a field is missing, unknown or wrong; names it
     */
    public static ObjectNode of(ObjectNode body) {
        JsonFields fields = new JsonFields("", body);
        fields.requireKnown(FIELDS);
        ObjectNode request = Json.object();
        request.put("model", fields.requiredText("model"));
        request.put("training_file", fields.requiredText("training_file"));
        request.put("validation_file", fields.text("validation_file").orElse(null));
        String suffix = fields.text("suffix").orElse(null);
        if (suffix != null && suffix.codePointCount(0, suffix.length()) > MOST_SUFFIX) {
            throw ApiException.invalid("suffix", "suffix may have at most " + MOST_SUFFIX + " characters");
        }
        request.put("suffix", suffix == null || suffix.isBlank() ? null : suffix);
        request.put("seed", fields.whole("seed", 0, Integer.MAX_VALUE).orElse(SEED));
        request.set("metadata", metadata(fields));
        request.set("integrations", integrations(fields));
        request.set("method", method(fields));
        return request;
    }

    private static ObjectNode metadata(JsonFields fields) {
        ObjectNode metadata = fields.object("metadata").orElse(null);
        if (metadata == null) {
            return null;
        }
        if (metadata.size() > MOST_PAIRS) {
            throw ApiException.invalid("metadata", "metadata may have at most " + MOST_PAIRS + " pairs");
        }
        metadata.properties().forEach(pair -> {
            if (pair.getKey().length() > MOST_KEY || !pair.getValue().isTextual()
                    || pair.getValue().asText().length() > MOST_VALUE) {
                throw ApiException.invalid("metadata", "metadata are texts of at most " + MOST_VALUE + " characters "
                        + "under names of at most " + MOST_KEY);
            }
        });
        return metadata;
    }

    private static ArrayNode integrations(JsonFields fields) {
        ArrayNode given = fields.list("integrations").orElse(null);
        if (given == null) {
            return null;
        }
        if (given.size() > MOST_INTEGRATIONS) {
            throw ApiException.invalid("integrations", "there may be at most " + MOST_INTEGRATIONS + " integrations");
        }
        ArrayNode integrations = Json.array();
        for (JsonNode one : given) {
            integrations.add(integration(JsonFields.of("integrations", one)));
        }
        return integrations;
    }

    private static ObjectNode integration(JsonFields fields) {
        fields.requireKnown(Set.of("type", "wandb"));
        String type = fields.requiredText("type");
        if (!type.equals("wandb")) {
            throw ApiException.invalid("integrations.type", "unknown integration '" + type + "'; there is wandb");
        }
        JsonFields wandb = new JsonFields("integrations.wandb", fields.object("wandb").orElseThrow(
                () -> ApiException.invalid("integrations.wandb", "the integration wandb needs the field 'wandb'")));
        wandb.requireKnown(Set.of("project", "name", "entity", "tags"));
        ObjectNode copy = Json.object().put("project", wandb.requiredText("project"))
                .put("name", wandb.text("name").orElse(null)).put("entity", wandb.text("entity").orElse(null));
        ArrayNode tags = copy.putArray("tags");
        wandb.list("tags").ifPresent(list -> list.forEach(tag -> {
            if (!tag.isTextual() || tag.asText().contains(",")) {
                throw ApiException.invalid("integrations.wandb.tags", "tags are texts without commas");
            }
            tags.add(tag.asText());
        }));
        ObjectNode integration = Json.object().put("type", type);
        integration.set("wandb", copy);
        return integration;
    }

    /** The method; without one, what the former fields at the top say of supervised training. */
    private static ObjectNode method(JsonFields fields) {
        JsonFields method = fields.object("method").map(node -> new JsonFields("method", node)).orElse(null);
        if (method == null) {
            return method("supervised", hyperparameters("hyperparameters", fields.object("hyperparameters")
                    .orElseGet(Json::object), false));
        }
        if (fields.object("hyperparameters").isPresent()) {
            throw ApiException.invalid("hyperparameters", "give hyperparameters within the method, or without a "
                    + "method, not both");
        }
        method.requireKnown(Set.of("type", "supervised", "dpo", "reinforcement"));
        String type = method.requiredText("type");
        if (type.equals("reinforcement")) {
            throw ApiException.of(400, "invalid_request_error", "unsupported_method", "method.type",
                    "this server does not train by reinforcement; it knows supervised and dpo");
        }
        if (!type.equals("supervised") && !type.equals("dpo")) {
            throw ApiException.invalid("method.type", "unknown method '" + type + "'; "
                    + SimilarNames.sentence(type, List.of("supervised", "dpo")));
        }
        for (String other : List.of("supervised", "dpo", "reinforcement")) {
            if (!other.equals(type) && method.object(other).isPresent()) {
                throw ApiException.invalid("method." + other, "the method is " + type + ", so the field '" + other
                        + "' has no place");
            }
        }
        JsonFields options = new JsonFields("method." + type, method.object(type).orElseGet(Json::object));
        options.requireKnown(Set.of("hyperparameters"));
        return method(type, hyperparameters("method." + type + ".hyperparameters",
                options.object("hyperparameters").orElseGet(Json::object), type.equals("dpo")));
    }

    private static ObjectNode method(String type, ObjectNode hyperparameters) {
        ObjectNode method = Json.object().put("type", type);
        method.putObject(type).set("hyperparameters", hyperparameters);
        return method;
    }

    private static ObjectNode hyperparameters(String place, ObjectNode given, boolean dpo) {
        JsonFields fields = new JsonFields(place, given);
        fields.requireKnown(dpo ? Set.of("batch_size", "learning_rate_multiplier", "n_epochs", "beta")
                : Set.of("batch_size", "learning_rate_multiplier", "n_epochs"));
        ObjectNode chosen = Json.object();
        fields.wholeOrAuto("batch_size", 1, 256, chosen);
        fields.numberOrAuto("learning_rate_multiplier", Double.MAX_VALUE, chosen);
        fields.wholeOrAuto("n_epochs", 1, 50, chosen);
        if (dpo) {
            fields.numberOrAuto("beta", 2, chosen);
        }
        return chosen;
    }
}
