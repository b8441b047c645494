package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads a request of {@code /v1/responses} as a chat. */
final class ResponseFields {
    private static final String LOG_PROBABILITIES = "message.output_text.logprobs";
    /** What there is to include of tools that run elsewhere and of reasoning: nothing, here. */
    private static final Set<String> INCLUDABLE = Set.of(LOG_PROBABILITIES, "reasoning.encrypted_content");

    private ResponseFields() {
    }

    /** Reads a request; a {@link ChatRequest.Reader}. */
    static ChatRequest read(RequestFields fields, ChatTemplate template, Constraints constraints) {
        ChatRequest.ignoreHarmless(fields);
        fields.object("metadata");
        fields.unsupported("previous_response_id", "responses are not kept; send the whole conversation in 'input'");
        fields.unsupported("conversation", "conversations are not kept; send the whole conversation in 'input'");
        fields.unsupported("background", "responses are not kept, so they come with their request", "false");
        fields.unsupported("prompt", "this server keeps no prompts; send the text in 'instructions' and 'input'");
        fields.unsupported("moderation", "this server moderates nothing");
        fields.unsupported("context_management", "send only those items in 'input' that there is room for", "[]");
        fields.integer("max_tool_calls", 1, Integer.MAX_VALUE);
        truncation(fields);
        List<JsonNode> tools = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (JsonNode tool : fields.list("tools")) {
            tools.add(tool(tool, "tools[" + tools.size() + "]"));
            names.add(ChatInput.toolName(tools.get(tools.size() - 1), names.size()));
        }
        ToolUse use = ToolUse.of(tools, ToolChoice.read(fields, names, ToolChoice.Form.FLAT),
                fields.flag("parallel_tool_calls", true), template);
        GenerationOptions options = logProbabilities(fields, GenerationOptions.defaults()
                .withSampling(SamplingFields.sampling(fields)));
        Optional<TextConstraint> constraint = use.constraint(format(fields, constraints), "text.format", constraints);
        ChatRequest request = new ChatRequest(ChatRequest.model(fields), "input",
                ResponseInput.messages(fields.text("instructions"), fields.required("input")), use, variables(fields),
                constraint.map(options::withConstraint).orElse(options), "max_output_tokens",
                ChatRequest.max(fields, "max_output_tokens"), Streaming.read(fields));
        fields.requireKnown();
        return request;
    }

    /** With either value a conversation that is too long is refused: which part of it counts, only the client knows. */
    private static void truncation(RequestFields fields) {
        String value = fields.text("truncation").orElse("disabled");
        if (!value.equals("disabled") && !value.equals("auto")) {
            throw ApiException.invalid("truncation", "'truncation' must be auto or disabled");
        }
    }

    /** A tool in the form of chats. */
    private static JsonNode tool(JsonNode tool, String name) {
        RequestFields.require(tool.isObject(), name, "an object", tool);
        if (!tool.path("type").asText().equals("function")) {
            throw ApiException.of(400, "invalid_request_error", "unsupported_parameter", name + ".type", "'" + name
                    + ".type' must be function: this server has no tools of its own");
        }
        RequestFields.require(tool.path("name").isTextual() && !tool.path("name").asText().isEmpty(), name + ".name",
                "the name of a function", tool.path("name"));
        ObjectNode function = ((ObjectNode) tool).deepCopy();
        function.remove("type");
        ObjectNode chatTool = Json.object().put("type", "function");
        chatTool.set("function", function);
        return chatTool;
    }

    private static GenerationOptions logProbabilities(RequestFields fields, GenerationOptions options) {
        int most = fields.integer("top_logprobs", 0, ChatRequest.MOST_LOG_PROBABILITIES).orElse(0);
        boolean wanted = most > 0;
        for (JsonNode included : fields.list("include")) {
            if (!INCLUDABLE.contains(included.asText())) {
                throw ApiException.of(400, "invalid_request_error", "unsupported_parameter", "include",
                        "'include' may have " + LOG_PROBABILITIES + "; this server has no other of its values");
            }
            wanted |= included.asText().equals(LOG_PROBABILITIES);
        }
        return wanted ? options.withLogProbabilities(most) : options;
    }

    private static Optional<TextConstraint> format(RequestFields fields, Constraints constraints) {
        RequestFields text = fields.inner("text");
        text.ignore("verbosity");
        Optional<TextConstraint> constraint = text.object("format")
                .flatMap(format -> constraints.format(format, format, "text.format", "text.format.schema"));
        text.requireKnown();
        return constraint;
    }

    private static Map<String, Object> variables(RequestFields fields) {
        Map<String, Object> variables = ChatRequest.templateVariables(fields);
        fields.object("reasoning").map(reasoning -> reasoning.path("effort")).filter(JsonNode::isTextual)
                .ifPresent(effort -> variables.put("reasoning_effort", effort.textValue()));
        return variables;
    }
}
