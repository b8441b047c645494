package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.serve.http.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How the models of a chat template write calls of tools. */
enum ToolForm {
    /** {@code <tool_call>{"name": ..., "arguments": {...}}</tool_call>}, as Hermes, Qwen and SmolLM3 do. */
    HERMES("<tool_call>", "<tool_call>\n", "arguments"),
    /** {@code [TOOL_CALLS][{"name": ..., "arguments": {...}}]}; the first token is special and not part of the text. */
    MISTRAL("[", "[TOOL_CALLS][", "arguments"),
    /** The whole answer is {@code {"name": ..., "parameters": {...}}}, as Llama 3 does. */
    LLAMA("{", "", "parameters");

    /** Small models whose templates show tools, for messages. */
    static final String SMALL_MODELS = "Qwen/Qwen3-0.6B, Qwen/Qwen2.5-0.5B-Instruct and "
            + "meta-llama/Llama-3.2-1B-Instruct";
    private static final String END = "</tool_call>";

    private final String begin;
    private final String forced;
    private final String arguments;

    ToolForm(String begin, String forced, String arguments) {
        this.begin = begin;
        this.forced = forced;
        this.arguments = arguments;
    }

    /** The form of a template; empty where it shows tools to no model. */
    static Optional<ToolForm> of(ChatTemplate template) {
        String source = template.source();
        if (!source.contains("tools")) {
            return Optional.empty();
        }
        return Optional.of(source.contains("<tool_call>") ? HERMES
                : source.contains("[TOOL_CALLS]") ? MISTRAL : LLAMA);
    }

    /** What a call begins with. */
    String begin() {
        return begin;
    }

    /** What the header of the answer ends with where it must be a call. */
    String forced() {
        return forced;
    }

    /** The key of the arguments. */
    String arguments() {
        return arguments;
    }

    /**
     * A call.
     *
     * @param arguments an object
     */
    record Call(String name, JsonNode arguments) {
        /** As OpenAI writes it. */
        ObjectNode json(String id) {
            ObjectNode call = Json.object().put("id", id).put("type", "function");
            call.putObject("function").put("name", name).put("arguments", Json.text(arguments));
            return call;
        }
    }

    /**
     * An answer, taken apart.
     *
     * @param content the text before the calls
     */
    record Parsed(String content, List<Call> calls) {
    }

    /** Takes an answer apart; what is not a valid call of one of the tools stays text. */
    Parsed parse(String text, List<String> tools) {
        Parsed parsed = this == HERMES ? parseMarked(text, tools) : parseWhole(text, tools);
        return parsed.calls().isEmpty() ? new Parsed(text, List.of()) : parsed;
    }

    private Parsed parseMarked(String text, List<String> tools) {
        List<Call> calls = new ArrayList<>();
        int first = text.indexOf(begin);
        for (int from = first; from >= 0; from = text.indexOf(begin, from)) {
            from += begin.length();
            int end = text.indexOf(END, from);
            List<Call> found = calls(text.substring(from, end < 0 ? text.length() : end), tools);
            if (found.isEmpty()) {
                return new Parsed(text, List.of());
            }
            calls.addAll(found);
            from = end < 0 ? text.length() : end;
        }
        return new Parsed(first < 0 ? text : text.substring(0, first).stripTrailing(), calls);
    }

    private Parsed parseWhole(String text, List<String> tools) {
        return text.strip().startsWith(begin) ? new Parsed("", calls(text, tools)) : new Parsed(text, List.of());
    }

    /** The calls in a JSON object or a list of such. */
    List<Call> calls(String json, List<String> tools) {
        List<Call> calls = new ArrayList<>();
        try {
            JsonNode value = Json.parse(json.strip().getBytes(StandardCharsets.UTF_8));
            ArrayNode all = value.isArray() ? (ArrayNode) value : Json.array().add(value);
            for (JsonNode each : all) {
                Optional<Call> call = call(each, tools);
                if (call.isEmpty()) {
                    return List.of();
                }
                calls.add(call.get());
            }
            return calls;
        } catch (IOException e) {
            return List.of();
        }
    }

    private static Optional<Call> call(JsonNode value, List<String> tools) {
        JsonNode given = value.has("arguments") ? value.get("arguments") : value.get("parameters");
        String name = value.path("name").asText();
        return tools.contains(name) && given != null && given.isObject() ? Optional.of(new Call(name, given))
                : Optional.empty();
    }
}
