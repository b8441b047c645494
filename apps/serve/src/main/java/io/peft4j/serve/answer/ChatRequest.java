package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a request asks of a chat with a model, whichever form it came in.
 *
 * @param model the name that the client uses
 * @param prompt the field that has the messages
 * @param messages in the form of {@code /v1/chat/completions}
 * @param variables further variables of the chat template
 * @param options without a limit of tokens
 * @param limit the field with the limit of tokens
 * @param maxTokens the limit
 */
record ChatRequest(String model, String prompt, List<JsonNode> messages, ToolUse tools,
        Map<String, Object> variables, GenerationOptions options, String limit, Optional<Integer> maxTokens,
        Streaming streaming) {
    static final int MOST_LOG_PROBABILITIES = 20;
    /** Who asks, what for, how the service is to be paid, what to keep and to cache: none of it changes an answer. */
    private static final String[] HARMLESS = {"user", "metadata", "service_tier", "safety_identifier", "store",
        "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"};

    @FunctionalInterface
    interface Reader {
        /**
         * Reads a request.
         *
         * @param template the chat template of the model
         * @throws ApiException when a field is wrong, unknown, or asks for what is not supported
         */
        ChatRequest read(RequestFields fields, ChatTemplate template, Constraints constraints);
    }

    /** The model of a request; read first, since what can be asked depends on it. */
    static String model(RequestFields fields) {
        JsonNode model = fields.required("model");
        RequestFields.require(model.isTextual(), "model", "a string", model);
        return model.textValue();
    }

    /** Takes what changes no answer. */
    static void ignoreHarmless(RequestFields fields) {
        fields.ignore(HARMLESS);
    }

    /** Reads a request of {@code /v1/chat/completions}; a {@link Reader}. */
    static ChatRequest read(RequestFields fields, ChatTemplate template, Constraints constraints) {
        ignoreHarmless(fields);
        // A wish for a model that was trained to heed it.
        fields.ignore("verbosity");
        fields.unsupported("audio", "this model writes text");
        fields.unsupported("modalities", "this model writes text", "[\"text\"]");
        fields.unsupported("moderation", "this server moderates nothing");
        fields.unsupported("prediction", "answers are not predicted");
        fields.unsupported("web_search_options", "this server searches nothing");
        fields.unsupported("functions", "use 'tools'", "[]");
        fields.unsupported("function_call", "use 'tool_choice'", "none", "auto");
        List<JsonNode> tools = fields.list("tools");
        List<String> names = new ArrayList<>();
        for (int i = 0; i < tools.size(); i++) {
            names.add(ChatInput.toolName(tools.get(i), i));
        }
        ToolUse use = ToolFields.of(tools, ToolChoice.read(fields, names, ToolChoice.Form.NESTED), template,
                constraints);
        Optional<Integer> maxTokens = max(fields, "max_completion_tokens");
        Optional<Integer> older = max(fields, "max_tokens");
        GenerationOptions options = logProbabilities(fields, SamplingFields.read(fields));
        Optional<TextConstraint> constraint = ToolFields.constraint(use, fields.object("response_format")
                .flatMap(format -> constraints.format(format, format.path("json_schema"), "response_format",
                        "response_format.json_schema.schema")),
                "response_format", constraints);
        ChatRequest request = new ChatRequest(model(fields), "messages", messages(fields), use, variables(fields),
                constraint.map(options::withConstraint).orElse(options),
                maxTokens.isPresent() ? "max_completion_tokens" : "max_tokens", maxTokens.or(() -> older),
                Streaming.read(fields));
        fields.requireKnown();
        return request;
    }

    /**
     * The same behind the text of its prompt, where the answer is neither forced nor of a format: it may call tools.
     */
    ChatRequest behind(String text, Constraints constraints) {
        if (options.constraint().isPresent()) {
            return this;
        }
        Optional<TextConstraint> calls = tools.form().flatMap(form -> constraints.calls(form, tools.tools(),
                tools.parallel(), text));
        return new ChatRequest(model, prompt, messages, tools.behind(text, calls.isPresent()), variables,
                calls.map(options::withConstraint).orElse(options), limit, maxTokens, streaming);
    }

    private static List<JsonNode> messages(RequestFields fields) {
        fields.required("messages");
        return fields.list("messages");
    }

    /** A limit of tokens. */
    static Optional<Integer> max(RequestFields fields, String name) {
        int value = fields.integer(name, 1, Integer.MAX_VALUE).orElse(0);
        return value == 0 ? Optional.empty() : Optional.of(value);
    }

    private static GenerationOptions logProbabilities(RequestFields fields, GenerationOptions options) {
        boolean wanted = fields.flag("logprobs");
        int most = fields.integer("top_logprobs", 0, MOST_LOG_PROBABILITIES).orElse(0);
        if (most > 0 && !wanted) {
            throw ApiException.invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true");
        }
        return wanted ? options.withLogProbabilities(most) : options;
    }

    private static Map<String, Object> variables(RequestFields fields) {
        Map<String, Object> variables = templateVariables(fields);
        fields.text("reasoning_effort").ifPresent(effort -> variables.put("reasoning_effort", effort));
        return variables;
    }

    /** What a request gives to the chat template. */
    static Map<String, Object> templateVariables(RequestFields fields) {
        Map<String, Object> variables = new HashMap<>();
        fields.object("chat_template_kwargs").map(ChatInput::map).ifPresent(variables::putAll);
        return variables;
    }
}
