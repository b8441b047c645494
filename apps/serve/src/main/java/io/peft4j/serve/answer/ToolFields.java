package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.AnswerReader.CallPiece;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import java.util.List;
import java.util.Optional;

/** The tools of a request and the calls of a reply, as OpenAI writes them. */
final class ToolFields {
    private ToolFields() {
    }

    /**
     * Tools of which some are chosen.
     *
     * @throws ApiException when some may be called and the template shows none to the model
     */
    static ToolUse of(List<JsonNode> tools, ToolChoice choice, ChatTemplate template, Constraints constraints) {
        try {
            return ToolUse.of(tools, choice.callable(), choice.forced(), choice.parallel(),
                    () -> constraints.form(template));
        } catch (ConfigurationException e) {
            throw ApiException.of(400, "invalid_request_error", "unsupported_parameter", "tools", e.getMessage());
        }
    }

    /**
     * What the text of the answer may be.
     *
     * @param format what the format of the answer allows
     * @param field the field that has the format
     */
    static Optional<TextConstraint> constraint(ToolUse use, Optional<TextConstraint> format, String field,
            Constraints constraints) {
        if (format.isPresent() && use.form().isPresent()) {
            throw ApiException.invalid(field, "an answer cannot both follow '" + field + "' and call a tool; set "
                    + "'tool_choice' to 'none'");
        }
        return use.forced() ? Optional.of(constraints.call(use.form().orElseThrow(), use.tools(), use.parallel()))
                : format;
    }

    /** A call as OpenAI writes it. */
    static ObjectNode json(ToolCall call, String id) {
        return json(Json.object(), new CallPiece(0, Optional.of(call.name()), call.json()), id);
    }

    /** What is added to a call as OpenAI writes it. */
    static ObjectNode json(CallPiece piece) {
        return json(Json.object().put("index", piece.index()), piece, ReplyParts.id("call_"));
    }

    private static ObjectNode json(ObjectNode json, CallPiece piece, String id) {
        piece.name().ifPresent(name -> json.put("id", id).put("type", "function"));
        ObjectNode function = json.putObject("function");
        piece.name().ifPresent(name -> function.put("name", name));
        function.put("arguments", piece.arguments());
        return json;
    }

    /** Adds what was meant as a call and is none to the message that has its text. */
    static void list(List<ParsedAnswer.Wrong> wrong, ObjectNode message) {
        if (!wrong.isEmpty()) {
            ArrayNode all = message.putArray("invalid_tool_calls");
            wrong.forEach(each -> all.addObject().put("text", each.text()).put("reason", each.reason()));
        }
    }
}
