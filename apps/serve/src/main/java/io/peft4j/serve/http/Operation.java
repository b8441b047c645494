package io.peft4j.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code /openapi.json} tells of a route. A schema is the name of one in {@code schemas.json}, or JSON with single
 * quotes.
 */
public final class Operation {
    /** The schema of any object. */
    public static final String OBJECT = "{'type': 'object'}";
    /** The schema of any text. */
    public static final String TEXT = "{'type': 'string'}";
    private static final String JSON = "application/json";
    private static final Pattern PATH_PARAMETER = Pattern.compile("[{<](\\w+)[}>]");

    private final ObjectNode node = Json.object();
    private Bound bytes = Bound.JSON_BYTES;

    private Operation(String id, String summary) {
        node.put("operationId", id).put("summary", summary);
        reply("default", "What was wrong", JSON, "Error");
    }

    /**
     * An operation without a body.
     *
     * @param id what generated clients call it
     * @param summary what it does
     */
    public static Operation of(String id, String summary) {
        return new Operation(id, summary);
    }

    /** It needs no key. */
    public Operation withoutKey() {
        node.putArray("security");
        return this;
    }

    /** A parameter of the query, which may be left out. */
    public Operation query(String name, String description, String schema) {
        parameter(name, "query", false, schema).put("description", description);
        return this;
    }

    private ObjectNode parameter(String name, String place, boolean required, String schema) {
        ObjectNode parameter = node.withArrayProperty("parameters").addObject();
        parameter.put("name", name).put("in", place).put("required", required).set("schema", schema(schema));
        return parameter;
    }

    /** What must be sent, as JSON. */
    public Operation body(String schema) {
        return body(JSON, schema);
    }

    /** The most bytes of the body, where they are other than {@link Bound#JSON_BYTES}; called after {@code body}. */
    public Operation atMost(Bound bound) {
        bytes = bound;
        node.withObjectProperty("requestBody").put("x-max-bytes", bound.most());
        return this;
    }

    Bound bytes() {
        return bytes;
    }

    /** What must be sent, as another type. */
    public Operation body(String type, String schema) {
        content(node.putObject("requestBody").put("required", true), type, schema);
        return atMost(bytes);
    }

    /** What is answered, as JSON. */
    public Operation reply(String schema) {
        return reply(JSON, schema);
    }

    /** What is answered, as a type; may be called again for another one. */
    public Operation reply(String type, String schema) {
        return reply("200", "The reply", type, schema);
    }

    /** What is answered where something is wrong; default: an error of OpenAI's form. */
    public Operation error(String schema) {
        return reply("default", "What was wrong", JSON, schema);
    }

    /** A page of a list is answered. */
    public Operation replyList(String entry) {
        return reply("{'type': 'object', 'required': ['object', 'data', 'has_more'], 'properties': {"
                + "'object': {'type': 'string', 'enum': ['list']}, 'data': {'type': 'array', 'items': "
                + schema(entry) + "}, 'has_more': {'type': 'boolean'}, 'first_id': {'type': ['string', 'null']}, "
                + "'last_id': {'type': ['string', 'null']}}}");
    }

    private Operation reply(String status, String description, String type, String schema) {
        content(node.withObjectProperty("responses").withObjectProperty(status).put("description", description), type,
                schema);
        return this;
    }

    private static void content(ObjectNode parent, String type, String schema) {
        parent.withObjectProperty("content").putObject(type).set("schema", schema(schema));
    }

    private static JsonNode schema(String schema) {
        return schema.startsWith("{") ? Json.stored(schema.replace('\'', '"'))
                : Json.object().put("$ref", "#/components/schemas/" + schema);
    }

    /** Puts it into the paths of a description. */
    void describe(ObjectNode paths, String method, String path) {
        Matcher names = PATH_PARAMETER.matcher(path);
        while (names.find()) {
            parameter(names.group(1), "path", true, TEXT);
        }
        paths.withObjectProperty(names.replaceAll("{$1}")).set(method, node);
    }
}
