package io.peft4j.serve.job.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.serve.http.internal.ApiException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The fields of a JSON object that a client sent. One that is null is as one that is not there.
 *
 * @param place where the object stands in the request; empty for the whole
 * @param node the object
 */
record JsonFields(String place, ObjectNode node) {
    static JsonFields of(String place, JsonNode node) {
        if (!node.isObject()) {
            throw ApiException.invalid(place, place + " must hold JSON objects");
        }
        return new JsonFields(place, (ObjectNode) node);
    }

    private String path(String field) {
        return place.isEmpty() ? field : place + "." + field;
    }

    void requireKnown(Set<String> known) {
        node.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw ApiException.of(400, "invalid_request_error", "unknown_parameter", path(name),
                        "unknown field '" + path(name) + "'; " + SimilarNames.sentence(name, new TreeSet<>(known)));
            }
        });
    }

    private Optional<JsonNode> value(String field) {
        return Optional.ofNullable(node.get(field)).filter(value -> !value.isNull());
    }

    private Optional<JsonNode> value(String field, boolean fits, String kind) {
        if (!fits) {
            throw ApiException.invalid(path(field), path(field) + " must be " + kind);
        }
        return value(field);
    }

    Optional<String> text(String field) {
        return value(field, value(field).map(JsonNode::isTextual).orElse(true), "a text").map(JsonNode::asText);
    }

    String requiredText(String field) {
        return text(field).filter(text -> !text.isBlank()).orElseThrow(() -> ApiException.of(400,
                "invalid_request_error", "missing_required_parameter", path(field), "the field '" + path(field)
                        + "' is missing"));
    }

    Optional<ObjectNode> object(String field) {
        return value(field, value(field).map(JsonNode::isObject).orElse(true), "a JSON object")
                .map(ObjectNode.class::cast);
    }

    Optional<ArrayNode> list(String field) {
        return value(field, value(field).map(JsonNode::isArray).orElse(true), "a list").map(ArrayNode.class::cast);
    }

    Optional<Long> whole(String field, long least, long most) {
        return value(field, value(field).map(value -> value.isIntegralNumber() && value.canConvertToLong()
                && value.asLong() >= least && value.asLong() <= most).orElse(true), "a whole number from " + least
                        + " to " + most)
                .map(JsonNode::asLong);
    }

    private boolean isAuto(String field) {
        return value(field).map(value -> value.isTextual() && value.asText().equals("auto")).orElse(true);
    }

    void wholeOrAuto(String field, long least, long most, ObjectNode into) {
        if (isAuto(field)) {
            into.put(field, "auto");
        } else {
            into.put(field, value(field, isWhole(field, least, most), "\"auto\" or a whole number from " + least
                    + " to " + most).orElseThrow().asLong());
        }
    }

    private boolean isWhole(String field, long least, long most) {
        return value(field).filter(value -> value.isNumber() && value.asDouble() == Math.rint(value.asDouble())
                && value.asDouble() >= least && value.asDouble() <= most).isPresent();
    }

    void numberOrAuto(String field, double most, ObjectNode into) {
        if (isAuto(field)) {
            into.put(field, "auto");
            return;
        }
        boolean fits = value(field).filter(value -> value.isNumber() && value.asDouble() > 0
                && value.asDouble() <= most).isPresent();
        into.put(field, value(field, fits, "\"auto\" or a number above 0" + (most == Double.MAX_VALUE ? ""
                : " and at most " + most)).orElseThrow().asDouble());
    }
}
