package io.peft4j.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.SimilarNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * The fields of a request, by name and type. A field that is null counts as absent. What was not read is
 * unknown in the end, and refused.
 */
public final class RequestFields {
    private final String place;
    private final ObjectNode object;
    private final Set<String> known = new TreeSet<>();

    /** The fields of a whole request. */
    public RequestFields(ObjectNode object) {
        this("", object);
    }

    /**
     * The fields of an object within a request.
     *
     * @param place what errors put before the names of its fields, such as {@code method.}
     */
    public RequestFields(String place, ObjectNode object) {
        this.place = place;
        this.object = object;
    }

    /** The fields of an object within this one, which errors name with it; none where it is absent. */
    public RequestFields inner(String name) {
        return new RequestFields(path(name) + ".", object(name).orElseGet(Json::object));
    }

    /** What errors call a field. */
    public String path(String name) {
        return place + name;
    }

    /** A field of any type. */
    public Optional<JsonNode> get(String name) {
        known.add(name);
        return Optional.ofNullable(object.get(name)).filter(value -> !value.isNull());
    }

    /** A field that must be there. */
    public JsonNode required(String name) {
        return get(name).orElseThrow(() -> missing(name));
    }

    private ApiException missing(String name) {
        return ApiException.of(400, "invalid_request_error", "missing_required_parameter", path(name),
                "Missing required parameter: '" + path(name) + "'.");
    }

    /** A string that must be there and not be blank. */
    public String requiredText(String name) {
        return text(name).filter(text -> !text.isBlank()).orElseThrow(() -> missing(name));
    }

    /** A string. */
    public Optional<String> text(String name) {
        return get(name).map(value -> {
            require(value.isTextual(), path(name), "a string", value);
            return value.textValue();
        });
    }

    /** A boolean; false where it is absent. */
    public boolean flag(String name) {
        return flag(name, false);
    }

    /** A boolean, or another value where it is absent. */
    public boolean flag(String name, boolean otherwise) {
        return get(name).map(value -> {
            require(value.isBoolean(), path(name), "a boolean", value);
            return value.booleanValue();
        }).orElse(otherwise);
    }

    /** An integer within limits. */
    public OptionalInt integer(String name, int least, int most) {
        return get(name).map(value -> {
            require(value.isIntegralNumber(), path(name), "an integer", value);
            if (!value.canConvertToInt() || value.intValue() < least || value.intValue() > most) {
                throw ApiException.invalid(path(name), "'" + path(name) + "' must be from " + least + " to " + most
                        + ", got " + value);
            }
            return OptionalInt.of(value.intValue());
        }).orElse(OptionalInt.empty());
    }

    /** An integer of any size that 64 bits hold. */
    public Optional<Long> wholeNumber(String name) {
        return get(name).map(value -> {
            require(value.isIntegralNumber() && value.canConvertToLong(), path(name), "an integer of 64 bits", value);
            return value.longValue();
        });
    }

    /** A number within limits. */
    public OptionalDouble number(String name, double least, double most) {
        return get(name).map(value -> {
            require(value.isNumber(), path(name), "a number", value);
            if (!(value.doubleValue() >= least && value.doubleValue() <= most)) {
                throw ApiException.invalid(path(name), "'" + path(name) + "' must be from " + least + " to " + most
                        + ", got " + value);
            }
            return OptionalDouble.of(value.doubleValue());
        }).orElse(OptionalDouble.empty());
    }

    /** An object. */
    public Optional<ObjectNode> object(String name) {
        return get(name).map(value -> {
            require(value.isObject(), path(name), "an object", value);
            return (ObjectNode) value;
        });
    }

    /** The names of all fields. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** The entries of a list; none where it is absent. */
    public List<JsonNode> list(String name) {
        return get(name).map(value -> {
            require(value.isArray(), path(name), "an array", value);
            List<JsonNode> entries = new ArrayList<>();
            value.forEach(entries::add);
            return entries;
        }).orElse(List.of());
    }

    /** Fields that change nothing here: who asks, what for, how the service is to be paid or to cache. */
    public void ignore(String... names) {
        known.addAll(List.of(names));
    }

    /** A field that asks for what is not there, unless it has a value that asks for nothing. */
    public void unsupported(String name, String why, String... harmless) {
        get(name).map(value -> value.isContainerNode() ? value.toString() : value.asText())
                .filter(value -> !List.of(harmless).contains(value)).ifPresent(value -> {
                    throw ApiException.of(400, "invalid_request_error", "unsupported_parameter", path(name), "'"
                            + path(name) + "' is not supported: " + why);
                });
    }

    /** Refuses what was not read. */
    public void requireKnown() {
        names().forEach(name -> {
            if (!known.contains(name)) {
                throw ApiException.of(400, "invalid_request_error", "unknown_parameter", path(name),
                        "Unrecognized request argument supplied: " + path(name) + "; "
                                + SimilarNames.sentence(name, known));
            }
        });
    }

    /** Refuses a value of another type than is wanted, which it does not repeat. */
    public static void require(boolean right, String name, String wanted, JsonNode value) {
        if (!right) {
            throw ApiException.of(400, "invalid_request_error", "invalid_type", name, "'" + name + "' must be "
                    + wanted + ", got " + kind(value));
        }
    }

    /** Never the value itself, which may be a prompt. */
    private static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> "an array";
            case OBJECT -> "an object";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            default -> "null";
        };
    }
}
