package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which tools an answer may call, and whether it must call one.
 *
 * @param callable their names
 * @param parallel whether it may call several, or one several times: a function that is named is called once
 */
record ToolChoice(List<String> callable, boolean forced, boolean parallel) {
    /** Where a choice has what it names: within an object of the type's name in chats, beside the type in responses. */
    enum Form {
        /** {@code {"type": "function", "function": {"name": ...}}}. */
        NESTED,
        /** {@code {"type": "function", "name": ...}}. */
        FLAT;

        JsonNode named(JsonNode value, String type) {
            return this == FLAT ? value : value.path(type);
        }

        String place(String type) {
            return this == FLAT ? "tool_choice" : "tool_choice." + type;
        }
    }

    /**
     * Reads {@code tool_choice} and {@code parallel_tool_calls}.
     *
     * @param tools the names of all tools
     */
    static ToolChoice read(RequestFields fields, List<String> tools, Form form) {
        Optional<JsonNode> value = fields.get("tool_choice");
        boolean parallel = fields.flag("parallel_tool_calls", true);
        if (value.isEmpty()) {
            return new ToolChoice(tools, false, parallel);
        }
        if (value.get().isTextual()) {
            return switch (value.get().textValue()) {
                case "none" -> new ToolChoice(List.of(), false, parallel);
                case "auto" -> new ToolChoice(tools, false, parallel);
                case "required" -> new ToolChoice(require(tools), true, parallel);
                default -> throw ApiException.invalid("tool_choice", "'tool_choice' must be none, auto, required "
                        + "or a function");
            };
        }
        return switch (value.get().path("type").asText()) {
            case "function" -> new ToolChoice(List.of(known(value.get(), tools, form)), true, false);
            case "allowed_tools" -> allowed(form.named(value.get(), "allowed_tools"), tools, parallel,
                    form);
            default -> throw ApiException.invalid("tool_choice.type", "'tool_choice.type' must be function or "
                    + "allowed_tools");
        };
    }

    private static String known(JsonNode choice, List<String> tools, Form form) {
        String name = form.named(choice, "function").path("name").asText();
        if (!tools.contains(name)) {
            throw ApiException.invalid("tool_choice", "'tool_choice' names a function that 'tools' does not have");
        }
        return name;
    }

    private static ToolChoice allowed(JsonNode allowed, List<String> tools, boolean parallel, Form form) {
        List<String> names = new ArrayList<>();
        allowed.path("tools").forEach(tool -> names.add(known(tool, tools, form)));
        String mode = form.place("allowed_tools") + ".mode";
        return switch (allowed.path("mode").asText()) {
            case "auto" -> new ToolChoice(names, false, parallel);
            case "required" -> new ToolChoice(require(names), true, parallel);
            default -> throw ApiException.invalid(mode, "'" + mode + "' must be auto or required");
        };
    }

    private static List<String> require(List<String> tools) {
        if (tools.isEmpty()) {
            throw ApiException.invalid("tool_choice", "'tool_choice' is required, but there are no 'tools'");
        }
        return tools;
    }
}
