package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a chat request asks for.
 *
 * @param model the name that the client uses
 * @param messages as they came
 * @param shown the tools that the template shows to the model
 * @param tools the names of the tools that may be called; none where none may
 * @param form how calls are written, where some may come
 * @param forced whether the answer must be a call
 * @param parallel whether there may be several calls
 * @param variables further variables of the chat template
 * @param options without a limit of tokens
 * @param limit the field with the limit of tokens
 * @param maxTokens the limit
 */
record ChatRequest(String model, List<JsonNode> messages, List<JsonNode> shown, List<String> tools,
        Optional<ToolForm> form, boolean forced, boolean parallel, Map<String, Object> variables,
        GenerationOptions options, String limit, Optional<Integer> maxTokens, Streaming streaming) {
    private static final int MOST_LOG_PROBABILITIES = 20;

    /** The model of a request; read first, since what can be asked depends on it. */
    static String model(Fields fields) {
        JsonNode model = fields.required("model");
        Fields.require(model.isTextual(), "model", "a string", model);
        return model.textValue();
    }

    /**
     * Reads a request.
     *
     * @param template the chat template of the model
     * @throws ApiException when a field is wrong, unknown, or asks for what is not supported
     */
    static ChatRequest read(Fields fields, ChatTemplate template, Constraints constraints) {
        fields.ignore("user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key",
                "prompt_cache_retention", "prompt_cache_options");
        fields.unsupported("store", "answers are not stored", "false");
        fields.unsupported("audio", "this model writes text");
        fields.unsupported("modalities", "this model writes text", "[\"text\"]");
        fields.unsupported("prediction", "answers are not predicted");
        fields.unsupported("web_search_options", "this server searches nothing");
        fields.unsupported("verbosity", "say in a message how long the answer is to be", "medium");
        fields.unsupported("functions", "use 'tools'", "[]");
        fields.unsupported("function_call", "use 'tool_choice'", "none", "auto");
        List<JsonNode> tools = fields.list("tools");
        List<String> names = new ArrayList<>();
        for (int i = 0; i < tools.size(); i++) {
            names.add(ChatInput.toolName(tools.get(i), i));
        }
        ToolChoice choice = ToolChoice.read(fields, names);
        Optional<ToolForm> form = choice.callable().isEmpty() ? Optional.empty()
                : Optional.of(ToolForm.of(template).orElseThrow(() -> ApiException.of(400, "invalid_request_error",
                        "unsupported_parameter", "tools", "the chat template of this model has no tools; small "
                        + "models whose template has them are " + ToolForm.SMALL_MODELS)));
        Optional<Integer> maxTokens = max(fields, "max_completion_tokens");
        Optional<Integer> older = max(fields, "max_tokens");
        GenerationOptions options = logProbabilities(fields, SamplingFields.read(fields));
        Optional<TextConstraint> constraint = format(fields, constraints);
        if (constraint.isPresent() && form.isPresent()) {
            throw ApiException.invalid("response_format", "an answer cannot both follow 'response_format' and call a "
                    + "tool; set 'tool_choice' to 'none'");
        }
        if (choice.forced()) {
            constraint = Optional.of(constraints.schema(call(tools, choice.callable(), form.orElseThrow()), "tools"));
        }
        ChatRequest request = new ChatRequest(model(fields), messages(fields), tools, choice.callable(), form,
                choice.forced(), fields.flag("parallel_tool_calls", true), variables(fields),
                constraint.map(options::withConstraint).orElse(options),
                maxTokens.isPresent() ? "max_completion_tokens" : "max_tokens", maxTokens.or(() -> older),
                Streaming.read(fields));
        fields.requireKnown();
        return request;
    }

    private static List<JsonNode> messages(Fields fields) {
        fields.required("messages");
        return fields.list("messages");
    }

    private static Optional<Integer> max(Fields fields, String name) {
        int value = fields.integer(name, 1, Integer.MAX_VALUE).orElse(0);
        return value == 0 ? Optional.empty() : Optional.of(value);
    }

    private static GenerationOptions logProbabilities(Fields fields, GenerationOptions options) {
        boolean wanted = fields.flag("logprobs");
        int most = fields.integer("top_logprobs", 0, MOST_LOG_PROBABILITIES).orElse(0);
        if (most > 0 && !wanted) {
            throw ApiException.invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true");
        }
        return wanted ? options.withLogProbabilities(most) : options;
    }

    private static Optional<TextConstraint> format(Fields fields, Constraints constraints) {
        return fields.object("response_format").flatMap(format -> {
            String type = format.path("type").asText();
            return switch (type) {
                case "text" -> Optional.empty();
                case "json_object" -> Optional.of(constraints.json());
                case "json_schema" -> {
                    JsonNode schema = format.path("json_schema").path("schema");
                    Fields.require(schema.isObject(), "response_format.json_schema.schema", "an object", schema);
                    yield Optional.of(constraints.schema(schema, "response_format"));
                }
                default -> throw ApiException.invalid("response_format.type",
                        "'response_format.type' must be text, json_object or json_schema");
            };
        });
    }

    private static Map<String, Object> variables(Fields fields) {
        Map<String, Object> variables = new HashMap<>();
        fields.object("chat_template_kwargs").map(ChatInput::map).ifPresent(variables::putAll);
        fields.text("reasoning_effort").ifPresent(effort -> variables.put("reasoning_effort", effort));
        return variables;
    }

    /** The schema of a call of one of the tools. */
    private static ObjectNode call(List<JsonNode> tools, List<String> callable, ToolForm form) {
        ObjectNode schema = Json.object();
        ArrayNode any = schema.putArray("anyOf");
        for (JsonNode tool : tools) {
            JsonNode function = tool.path("function");
            if (callable.contains(function.path("name").asText())) {
                ObjectNode call = any.addObject().put("type", "object");
                ObjectNode properties = call.putObject("properties");
                properties.putObject("name").put("const", function.path("name").asText());
                JsonNode parameters = function.path("parameters");
                properties.set(form.arguments(), parameters.isEmpty() ? nothing() : parameters);
                call.putArray("required").add("name").add(form.arguments());
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

    /** Which tools may be called, and whether one must be. */
    private record ToolChoice(List<String> callable, boolean forced) {
        static ToolChoice read(Fields fields, List<String> tools) {
            Optional<JsonNode> value = fields.get("tool_choice");
            if (value.isEmpty()) {
                return new ToolChoice(tools, false);
            }
            if (value.get().isTextual()) {
                return switch (value.get().textValue()) {
                    case "none" -> new ToolChoice(List.of(), false);
                    case "auto" -> new ToolChoice(tools, false);
                    case "required" -> new ToolChoice(require(tools), true);
                    default -> throw ApiException.invalid("tool_choice", "'tool_choice' must be none, auto, required "
                            + "or a function");
                };
            }
            return switch (value.get().path("type").asText()) {
                case "function" -> new ToolChoice(List.of(known(value.get(), tools)), true);
                case "allowed_tools" -> allowed(value.get().path("allowed_tools"), tools);
                default -> throw ApiException.invalid("tool_choice.type", "'tool_choice.type' must be function or "
                        + "allowed_tools");
            };
        }

        private static String known(JsonNode choice, List<String> tools) {
            String name = choice.path("function").path("name").asText();
            if (!tools.contains(name)) {
                throw ApiException.invalid("tool_choice", "'tool_choice' names a function that 'tools' does not have");
            }
            return name;
        }

        private static ToolChoice allowed(JsonNode allowed, List<String> tools) {
            List<String> names = new ArrayList<>();
            allowed.path("tools").forEach(tool -> names.add(known(tool, tools)));
            return switch (allowed.path("mode").asText()) {
                case "auto" -> new ToolChoice(names, false);
                case "required" -> new ToolChoice(require(names), true);
                default -> throw ApiException.invalid("tool_choice.allowed_tools.mode", "'tool_choice.allowed_tools"
                        + ".mode' must be auto or required");
            };
        }

        private static List<String> require(List<String> tools) {
            if (tools.isEmpty()) {
                throw ApiException.invalid("tool_choice", "'tool_choice' is required, but there are no 'tools'");
            }
            return tools;
        }
    }
}
