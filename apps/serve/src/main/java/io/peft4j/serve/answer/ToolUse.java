package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import java.util.List;
import java.util.Optional;

/**
 * The tools of a chat, and how its answer may call them.
 *
 * @param shown the tools that the template shows to the model, in the form of chats
 * @param callable the names of those that may be called; none where none may
 * @param form how calls are written, where some may come
 * @param forced whether the answer must be a call
 * @param parallel whether there may be several calls
 */
record ToolUse(List<JsonNode> shown, List<String> callable, Optional<ToolForm> form, boolean forced,
        boolean parallel) {
    /**
     * Tools of which some are chosen.
     *
     * @throws ApiException when some may be called and the template shows none to the model
     */
    static ToolUse of(List<JsonNode> tools, ToolChoice choice, boolean parallel, ChatTemplate template) {
        Optional<ToolForm> form = choice.callable().isEmpty() ? Optional.empty()
                : Optional.of(ToolForm.of(template).orElseThrow(() -> ApiException.of(400, "invalid_request_error",
                        "unsupported_parameter", "tools", "the chat template of this model has no tools; small "
                                + "models whose template has them are " + ToolForm.SMALL_MODELS)));
        return new ToolUse(tools, choice.callable(), form, choice.forced(), parallel);
    }

    /**
     * What the text of the answer may be.
     *
     * @param format what the format of the answer allows
     * @param field the field that has the format
     */
    Optional<TextConstraint> constraint(Optional<TextConstraint> format, String field, Constraints constraints) {
        if (format.isPresent() && form.isPresent()) {
            throw ApiException.invalid(field, "an answer cannot both follow '" + field + "' and call a tool; set "
                    + "'tool_choice' to 'none'");
        }
        return forced ? Optional.of(constraints.schema(schema(), "tools")) : format;
    }

    /** What the header of the answer ends with. */
    String begin() {
        return forced ? form.orElseThrow().forced() : "";
    }

    /** An answer's text while it grows; not for a forced call, which is nothing until it is complete. */
    ToolText growing() {
        return new ToolText(form, callable);
    }

    /** An answer's text and calls. */
    ToolForm.Parsed parsed(String text) {
        if (form.isEmpty()) {
            return new ToolForm.Parsed(text, List.of());
        }
        if (!forced) {
            return limited(form.get().parse(text, callable));
        }
        List<ToolForm.Call> calls = form.get().calls(text, callable);
        // A forced call that the limit of tokens cut is text.
        return limited(new ToolForm.Parsed(calls.isEmpty() ? text : "", calls));
    }

    /** The same with one call where several are not wanted. */
    ToolForm.Parsed limited(ToolForm.Parsed parsed) {
        List<ToolForm.Call> calls = parsed.calls();
        return parallel || calls.size() < 2 ? parsed : new ToolForm.Parsed(parsed.content(), calls.subList(0, 1));
    }

    /** The schema of a call of one of the tools. */
    private ObjectNode schema() {
        ObjectNode schema = Json.object();
        ArrayNode any = schema.putArray("anyOf");
        for (JsonNode tool : shown) {
            JsonNode function = tool.path("function");
            if (callable.contains(function.path("name").asText())) {
                ObjectNode call = any.addObject().put("type", "object");
                ObjectNode properties = call.putObject("properties");
                properties.putObject("name").put("const", function.path("name").asText());
                JsonNode parameters = function.path("parameters");
                String arguments = form.orElseThrow().arguments();
                properties.set(arguments, parameters.isEmpty() ? nothing() : parameters);
                call.putArray("required").add("name").add(arguments);
            }
        }
        return any.size() == 1 ? (ObjectNode) any.get(0) : schema;
    }

    /** A function whose parameters are left out has none, as OpenAI has it. */
    private static ObjectNode nothing() {
        ObjectNode schema = Json.object().put("type", "object").put("additionalProperties", false);
        schema.putObject("properties");
        return schema;
    }
}
