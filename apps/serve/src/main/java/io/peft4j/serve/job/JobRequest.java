package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.Graders;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.RequestFields;
import java.util.List;

/**
 * What a client asks for when it makes a job: checked field by field, so that nothing is ignored and nothing fails
 * hours later that could be seen now.
 */
public final class JobRequest {
    static final String REINFORCEMENT = "reinforcement";
    /** Whether the model is to forget nothing, which OpenAI has no field for. */
    static final String REMEMBER = "remember";
    private static final String SUPERVISED = "supervised";
    private static final List<String> METHODS = List.of(SUPERVISED, "dpo", REINFORCEMENT);
    private static final TextNode AUTO = TextNode.valueOf("auto");
    private static final int MOST_SUFFIX = 64;
    private static final int MOST_PAIRS = 16;
    private static final int MOST_KEY = 64;
    private static final int MOST_VALUE = 512;
    private static final int MOST_INTEGRATIONS = 5;
    /** Where none is given: the same job twice gives the same model. */
    private static final int SEED = 42;

    private JobRequest() {
    }

    /**
     * The request with all fields that a job has.
     *
     * @throws ApiException when a field is missing, unknown or wrong; names it
     */
    public static ObjectNode of(ObjectNode body) {
        RequestFields fields = new RequestFields(body);
        ObjectNode request = Json.object();
        request.put("model", fields.requiredText("model"));
        request.put("training_file", fields.requiredText("training_file"));
        request.put("validation_file", fields.text("validation_file").orElse(null));
        if (request.get("training_file").equals(request.get("validation_file"))) {
            throw ApiException.invalid("validation_file", "validation_file is the training_file, of which nothing is "
                    + "held out; give other rows, or none");
        }
        String suffix = fields.text("suffix").orElse(null);
        if (suffix != null && suffix.codePointCount(0, suffix.length()) > MOST_SUFFIX) {
            throw ApiException.invalid("suffix", "suffix may have at most " + MOST_SUFFIX + " characters");
        }
        request.put("suffix", suffix == null || suffix.isBlank() ? null : suffix);
        request.put("seed", fields.integer("seed", 0, Integer.MAX_VALUE).orElse(SEED));
        request.set("metadata", metadata(fields));
        request.set("integrations", integrations(fields));
        request.set("method", method(fields));
        fields.requireKnown();
        return request;
    }

    /** The pairs that a client keeps with a job or a batch, or null. */
    public static ObjectNode metadata(RequestFields fields) {
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

    private static ArrayNode integrations(RequestFields fields) {
        List<JsonNode> given = fields.list("integrations");
        if (given.size() > MOST_INTEGRATIONS) {
            throw ApiException.invalid("integrations", "there may be at most " + MOST_INTEGRATIONS + " integrations");
        }
        ArrayNode integrations = Json.array();
        for (JsonNode one : given) {
            RequestFields.require(one.isObject(), "integrations", "an array of objects", one);
            integrations.add(integration(new RequestFields("integrations.", (ObjectNode) one)));
        }
        return fields.get("integrations").isPresent() ? integrations : null;
    }

    private static ObjectNode integration(RequestFields fields) {
        String type = fields.requiredText("type");
        if (!type.equals("wandb")) {
            throw ApiException.invalid("integrations.type", "unknown integration '" + type + "'; there is wandb");
        }
        fields.required("wandb");
        RequestFields wandb = fields.inner("wandb");
        ObjectNode integration = Json.object().put("type", type);
        ArrayNode tags = integration.putObject("wandb").put("project", wandb.requiredText("project"))
                .put("name", wandb.text("name").orElse(null)).put("entity", wandb.text("entity").orElse(null))
                .putArray("tags");
        for (JsonNode tag : wandb.list("tags")) {
            if (!tag.isTextual() || tag.asText().contains(",")) {
                throw ApiException.invalid("integrations.wandb.tags", "tags are texts without commas");
            }
            tags.add(tag.asText());
        }
        wandb.requireKnown();
        fields.requireKnown();
        return integration;
    }

    /** The method; without one, what the former fields at the top say of supervised training. */
    private static ObjectNode method(RequestFields fields) {
        boolean remember = fields.flag(REMEMBER);
        boolean former = fields.object("hyperparameters").isPresent();
        if (fields.object("method").isEmpty()) {
            return method(SUPERVISED, hyperparameters(fields, false, remember));
        }
        if (former) {
            throw ApiException.invalid("hyperparameters", "give hyperparameters within the method, or without a "
                    + "method, not both");
        }
        RequestFields method = fields.inner("method");
        String type = method.requiredText("type");
        if (!METHODS.contains(type)) {
            throw ApiException.invalid("method.type", "unknown method '" + type + "'; "
                    + SimilarNames.sentence(type, METHODS));
        }
        for (String other : METHODS) {
            if (!other.equals(type) && method.object(other).isPresent()) {
                throw ApiException.invalid("method." + other, "the method is " + type + ", so the field '" + other
                        + "' has no place");
            }
        }
        if (remember && !type.equals(SUPERVISED)) {
            throw ApiException.invalid(REMEMBER, "'" + REMEMBER + "' is for the method " + SUPERVISED
                    + "; this one is " + type);
        }
        RequestFields options = method.inner(type);
        ObjectNode chosen = type.equals(REINFORCEMENT) ? reinforcement(options)
                : method(type, hyperparameters(options, type.equals("dpo"), remember));
        options.requireKnown();
        method.requireKnown();
        return chosen;
    }

    private static ObjectNode reinforcement(RequestFields options) {
        RequestFields fields = options.inner("hyperparameters");
        ObjectNode chosen = common(fields);
        chosen.set("compute_multiplier", number(fields, "compute_multiplier", 8, false));
        fields.unsupported("eval_interval", "the validation data is measured after each epoch", "auto");
        fields.unsupported("eval_samples", "each validation prompt is answered once, greedily", "auto", "1");
        fields.unsupported("reasoning_effort", "the model has no levels of it", "default");
        fields.requireKnown();
        options.unsupported("response_format", "answers are drawn without a constraint; let the grader judge the form");
        ObjectNode method = method(REINFORCEMENT, chosen);
        ((ObjectNode) method.get(REINFORCEMENT)).set("grader", grader(options));
        return method;
    }

    /**
     * The grader of a request.
     *
     * @throws ApiException when it is missing or wrong
     */
    public static ObjectNode grader(RequestFields fields) {
        ObjectNode grader = (ObjectNode) fields.object("grader")
                .orElseGet(() -> (ObjectNode) fields.required("grader"));
        try {
            Graders.parse(Json.text(grader), GraderTools.NONE);
            return grader;
        } catch (ConfigurationException e) {
            throw ApiException.invalid(fields.path("grader"), e.getMessage());
        }
    }

    private static ObjectNode method(String type, ObjectNode hyperparameters) {
        ObjectNode method = Json.object().put("type", type);
        method.putObject(type).set("hyperparameters", hyperparameters);
        return method;
    }

    private static ObjectNode hyperparameters(RequestFields parent, boolean dpo, boolean remember) {
        RequestFields fields = parent.inner("hyperparameters");
        ObjectNode chosen = common(fields);
        if (dpo) {
            chosen.set("beta", number(fields, "beta", 2, false));
        } else if (fields.flag(REMEMBER, remember)) {
            chosen.put(REMEMBER, true);
        }
        fields.requireKnown();
        return chosen;
    }

    private static ObjectNode common(RequestFields fields) {
        ObjectNode chosen = Json.object();
        chosen.set("batch_size", number(fields, "batch_size", 256, true));
        chosen.set("learning_rate_multiplier", number(fields, "learning_rate_multiplier", Double.MAX_VALUE,
                false));
        chosen.set("n_epochs", number(fields, "n_epochs", 50, true));
        return chosen;
    }

    /** A number above 0, whole ones also as 3.0, or {@code auto}, which is what an absent one is. */
    private static JsonNode number(RequestFields fields, String name, double most, boolean whole) {
        JsonNode given = fields.get(name).orElse(AUTO);
        double value = given.asDouble();
        if (given.equals(AUTO)) {
            return AUTO;
        }
        if (!given.isNumber() || !(value > 0 && value <= most) || whole && value != Math.rint(value)) {
            throw ApiException.invalid(fields.path(name), "'" + fields.path(name) + "' must be \"auto\" or "
                    + (whole ? "a whole number from 1" : "a number above 0")
                    + (most == Double.MAX_VALUE ? "" : " to " + (long) most));
        }
        return whole ? LongNode.valueOf((long) value) : DoubleNode.valueOf(value);
    }
}
