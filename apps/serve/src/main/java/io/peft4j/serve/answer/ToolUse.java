package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
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
    private static final String SMALL_MODELS = "Qwen/Qwen3-0.6B, Qwen/Qwen2.5-0.5B-Instruct and "
            + "meta-llama/Llama-3.2-1B-Instruct";

    /**
     * Tools of which some are chosen.
     *
     * @throws ApiException when some may be called and the template shows none to the model
     */
    static ToolUse of(List<JsonNode> tools, ToolChoice choice, boolean parallel, ChatTemplate template) {
        Optional<ToolForm> form = choice.callable().isEmpty() ? Optional.empty()
                : Optional.of(ToolForm.of(template).orElseThrow(() -> ApiException.of(400, "invalid_request_error",
                        "unsupported_parameter", "tools", "the chat template of this model has no tools; small "
                                + "models whose template has them are " + SMALL_MODELS)));
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
        return forced ? Optional.of(constraints.call(form.orElseThrow(), tools())) : format;
    }

    /** What the header of the answer ends with. */
    String begin() {
        return forced ? form.orElseThrow().begin() : "";
    }

    /** The tools that may be called. */
    private List<Tool> tools() {
        return Tool.of(shown).stream().filter(tool -> callable.contains(tool.name())).toList();
    }

    /** An answer's text while it grows; not for a forced call, which is nothing until it is complete. */
    AnswerReader growing() {
        return new AnswerReader(form, tools(), false, false);
    }

    /** Thoughts, content and calls of an answer. */
    ParsedAnswer parsed(String text) {
        if (!forced) {
            return limited(ToolForm.parse(form, text, tools()));
        }
        ToolForm own = form.orElseThrow();
        ParsedAnswer call = ToolForm.parse(form, own.begin() + text + own.end(), tools());
        // A forced call that the limit of tokens cut is text.
        return limited(call.calls().isEmpty() ? new ParsedAnswer(text, "", List.of(), call.wrong()) : call);
    }

    /** The same with one call where several are not wanted. */
    ParsedAnswer limited(ParsedAnswer parsed) {
        List<ToolCall> calls = parsed.calls();
        return parallel || calls.size() < 2 ? parsed
                : new ParsedAnswer(parsed.content(), parsed.reasoning(), calls.subList(0, 1), parsed.wrong());
    }

    /** A call as OpenAI writes it. */
    static ObjectNode json(ToolCall call, String id) {
        ObjectNode json = Json.object().put("id", id).put("type", "function");
        json.putObject("function").put("name", call.name()).put("arguments", Json.text(call.arguments()));
        return json;
    }
}
