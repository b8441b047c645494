package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@code POST /v1/responses}: the chats of {@link AnswerModule.ChatRoutes} in another form. Responses are not kept. */
final class ResponseRoutes implements RouteGroup {
    private final Chats chats;
    private final Clock clock;
    private final ReplyParts replies;

    /** Responses of the models that answer. */
    public ResponseRoutes(AnswerGateway answers, Clock clock) {
        this.chats = new Chats(answers);
        this.clock = clock;
        this.replies = answers.replies();
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/responses", Operation.of("createResponse", "Answers a conversation, in the form that OpenAI's "
                + "clients use now").body("ResponseRequest").reply("Response")
                .reply("text/event-stream", Operation.TEXT), this::answer);
    }

    private void answer(Context http) {
        ObjectNode body = Bodies.object(http);
        Endpoint.Asker asker = Endpoint.Asker.of(http);
        Chats.Chat chat = chats.read(new RequestFields(body), asker, ResponseFields::read);
        ResponseBody response = new ResponseBody(body, clock.instant().getEpochSecond());
        if (chat.request().streaming().wanted()) {
            ResponseStream stream = new ResponseStream(chat.request().tools(), response, replies,
                    Optional.of(new EventStream(http)));
            stream.run(chats.submit(chat, asker, stream), asker);
            return;
        }
        PendingAnswer pending = chats.submit(chat, asker, AnswerListener.NONE);
        Completion completion = AnswerGateway.await(pending, asker).get(0);
        ResponseStream whole = new ResponseStream(chat.request().tools(), response, replies, Optional.empty());
        whole.onText(0, completion.text(), completion.probabilities());
        whole.onEnd(0, completion);
        Bodies.reply(http, whole.ended(pending, completion));
    }

    /** Reads a request of {@code /v1/responses} as a chat. */
    private static final class ResponseFields {
        private static final String LOG_PROBABILITIES = "message.output_text.logprobs";
        /** What there is to include of tools that run elsewhere and of reasoning: nothing, here. */
        private static final Set<String> INCLUDABLE = Set.of(LOG_PROBABILITIES, "reasoning.encrypted_content");

        private ResponseFields() {
        }

        /** Reads a request; a {@link ChatRequest.Reader}. */
        static ChatRequest read(RequestFields fields, ChatTemplate template, Constraints constraints) {
            ChatRequest.ignoreHarmless(fields);
            fields.object("metadata");
            fields.unsupported("previous_response_id",
                    "responses are not kept; send the whole conversation in 'input'");
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
            ToolUse use = ToolFields.of(tools, ToolChoice.read(fields, names, ToolChoice.Form.FLAT), template,
                    constraints);
            GenerationOptions options = logProbabilities(fields, GenerationOptions.defaults()
                    .withSampling(SamplingFields.sampling(fields)));
            Optional<TextConstraint> constraint = ToolFields.constraint(use, format(fields, constraints), "text.format",
                    constraints);
            ChatRequest request = new ChatRequest(ChatRequest.model(fields), "input",
                    ResponseInput.messages(fields.text("instructions"), fields.required("input")), use,
                    variables(fields),
                    constraint.map(options::withConstraint).orElse(options), "max_output_tokens",
                    ChatRequest.max(fields, "max_output_tokens"), Streaming.read(fields));
            fields.requireKnown();
            return request;
        }

        /**
         * With either value a conversation that is too long is refused: which part of it counts, only the client knows.
         */
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
            RequestFields.require(tool.path("name").isTextual() && !tool.path("name").asText().isEmpty(),
                    name + ".name",
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

    /** Makes the messages of a chat of what {@code /v1/responses} has in {@code instructions} and {@code input}. */
    private static final class ResponseInput {
        private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant");
        private static final Set<String> TEXTS = Set.of("input_text", "output_text");

        private final List<JsonNode> messages = new ArrayList<>();
        private final Set<String> calls = new HashSet<>();

        private ResponseInput() {
        }

        /**
         * The messages.
         *
         * @param instructions the system message before all others
         * @param input a text of the user, or items
         */
        static List<JsonNode> messages(Optional<String> instructions, JsonNode input) {
            ResponseInput all = new ResponseInput();
            instructions.ifPresent(text -> all.messages.add(message("system", text)));
            RequestFields.require(input.isTextual() || input.isArray(), "input", "a string or an array of items",
                    input);
            if (input.isTextual()) {
                all.messages.add(message("user", input.textValue()));
            }
            for (int i = 0; i < input.size(); i++) {
                all.add(input.get(i), "input[" + i + "]");
            }
            return all.messages;
        }

        private static ObjectNode message(String role, String content) {
            return Json.object().put("role", role).put("content", content);
        }

        private void add(JsonNode item, String name) {
            RequestFields.require(item.isObject(), name, "an object", item);
            String type = item.path("type").asText(item.has("role") ? "message" : "");
            switch (type) {
                case "message" -> messages.add(message(item, name));
                case "function_call" -> addCall(item, name);
                case "function_call_output" -> addOutput(item, name);
                case "reasoning" -> {
                    // Of another model: none of those here gives such items, and no template shows them.
                }
                case "item_reference" -> throw unsupported(name, "responses are not kept; send the item itself");
                default ->
                    throw unsupported(name, "items may be of type message, function_call, function_call_output and "
                            + "reasoning");
            }
        }

        private static ApiException unsupported(String name, String why) {
            return ApiException.of(400, "invalid_request_error", "unsupported_content", name + ".type", "'" + name
                    + ".type' is not supported: " + why);
        }

        private static ObjectNode message(JsonNode item, String name) {
            String role = item.path("role").asText();
            if (!ROLES.contains(role)) {
                throw ApiException.invalid(name + ".role",
                        "'" + name + ".role' must be one of system, developer, user and "
                                + "assistant");
            }
            return message(role, text(item.path("content"), name + ".content"));
        }

        /** A text, or the text of parts. */
        private static String text(JsonNode content, String name) {
            RequestFields.require(content.isTextual() || content.isArray(), name, "a string or an array of parts",
                    content);
            StringBuilder text = new StringBuilder(content.isTextual() ? content.textValue() : "");
            for (int i = 0; i < content.size(); i++) {
                String place = name + "[" + i + "]";
                RequestFields.require(content.get(i).isObject(), place, "an object", content.get(i));
                String type = content.get(i).path("type").asText();
                String key = TEXTS.contains(type) ? "text" : "refusal";
                if (key.equals("refusal") && !type.equals("refusal")) {
                    throw unsupported(place,
                            "this model reads text, in parts of type input_text, output_text and refusal");
                }
                JsonNode value = content.get(i).path(key);
                RequestFields.require(value.isTextual(), place + "." + key, "a string", value);
                text.append(value.textValue());
            }
            return text.toString();
        }

        private static String required(JsonNode item, String key, String name) {
            RequestFields.require(item.path(key).isTextual(), name + "." + key, "a string", item.path(key));
            return item.path(key).textValue();
        }

        /** Calls stand in the message of the assistant before them, as in a chat. */
        private void addCall(JsonNode item, String name) {
            String id = required(item, "call_id", name);
            calls.add(id);
            ObjectNode call = Json.object().put("id", id).put("type", "function");
            call.putObject("function").put("name", required(item, "name", name))
                    .put("arguments", required(item, "arguments", name));
            JsonNode last = messages.isEmpty() ? Json.object() : messages.get(messages.size() - 1);
            if (!last.path("role").asText().equals("assistant")) {
                messages.add(Json.object().put("role", "assistant").putNull("content"));
            }
            ObjectNode assistant = (ObjectNode) messages.get(messages.size() - 1);
            ArrayNode made = assistant.has("tool_calls") ? (ArrayNode) assistant.get("tool_calls")
                    : assistant.putArray("tool_calls");
            made.add(call);
        }

        private void addOutput(JsonNode item, String name) {
            String id = required(item, "call_id", name);
            if (!calls.contains(id)) {
                throw ApiException.invalid(name + ".call_id",
                        "'" + name + ".call_id' is that of no function_call before "
                                + "it; responses are not kept, so send the call, too");
            }
            messages.add(message("tool", text(item.path("output"), name + ".output")).put("tool_call_id", id));
        }
    }
}
