package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.AnswerReader.CallPiece;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import java.util.ArrayList;
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
 * @param sure whether a grammar makes calls right once they have begun
 * @param thought the mark by which the prompt opens a thought; empty where it does not
 */
record ToolUse(List<JsonNode> shown, List<String> callable, Optional<ToolForm> form, boolean forced,
        boolean parallel, boolean sure, String thought) {
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
        return new ToolUse(tools, choice.callable(), form, choice.forced(), parallel, choice.forced(), "");
    }

    /** The same behind a prompt, where the format of the answer is free and no call is forced. */
    ToolUse behind(String prompt, boolean grammar) {
        return new ToolUse(shown, callable, form, forced, parallel, grammar, AnswerReader.openedThought(prompt)
                .orElse(""));
    }

    /** What makes calls right that an answer begins on its own. */
    Optional<TextConstraint> calls(String prompt, Constraints constraints) {
        return form.flatMap(each -> constraints.calls(each, tools(), parallel, prompt));
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

    /** An answer while it grows. */
    static final class Growing {
        private final ToolUse use;
        private final AnswerReader reader;

        Growing(ToolUse use) {
            this.use = use;
            this.reader = use.reader();
            reader.accept(use.begin());
        }

        /** Takes the next piece. */
        AnswerReader.Piece accept(String text) {
            return told(reader.accept(text));
        }

        /** The answer is complete; the text of a forced call that is none is content. */
        AnswerReader.Piece finish(Completion completion) {
            List<CallPiece> calls = new ArrayList<>(use.forced ? accept(use.form.orElseThrow().end()).calls()
                    : List.of());
            AnswerReader.Piece rest = told(reader.finish());
            calls.addAll(rest.calls());
            return new AnswerReader.Piece(rest.reasoning(), use.forced ? answer(completion).content() : rest.content(),
                    calls);
        }

        private AnswerReader.Piece told(AnswerReader.Piece piece) {
            return new AnswerReader.Piece(piece.reasoning(), use.forced ? "" : piece.content(), piece.calls().stream()
                    .filter(call -> use.parallel || call.index() == 0).toList());
        }

        /** What of it is complete. */
        ParsedAnswer soFar() {
            return use.limited(reader.answer());
        }

        /** What it is as a whole. */
        ParsedAnswer answer(Completion completion) {
            return use.parsed(completion.text());
        }
    }

    private AnswerReader reader() {
        return new AnswerReader(form, tools(), thought, sure);
    }

    /** Thoughts, content and calls of an answer. */
    ParsedAnswer parsed(String text) {
        if (!forced) {
            AnswerReader reader = reader();
            reader.accept(text);
            reader.finish();
            return limited(reader.answer());
        }
        ToolForm own = form.orElseThrow();
        ParsedAnswer call = ToolForm.parse(form, own.begin() + text + own.end(), tools());
        // A forced call that the limit of tokens cut is text.
        return limited(call.calls().isEmpty() ? new ParsedAnswer(text, "", List.of(), call.wrong()) : call);
    }

    /** The same with one call where several are not wanted. */
    private ParsedAnswer limited(ParsedAnswer parsed) {
        List<ToolCall> calls = parsed.calls();
        return parallel || calls.size() < 2 ? parsed
                : new ParsedAnswer(parsed.content(), parsed.reasoning(), calls.subList(0, 1), parsed.wrong());
    }

    /** A call as OpenAI writes it. */
    static ObjectNode json(ToolCall call, String id) {
        return json(Json.object(), new CallPiece(0, Optional.of(call.name()), Json.text(call.arguments())), id);
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
