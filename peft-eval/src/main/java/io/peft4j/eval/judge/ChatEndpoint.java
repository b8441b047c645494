package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Optional;

/**
 * A chat model on a server that speaks OpenAI's protocol ({@code POST chat/completions}), asked with temperature 0.
 *
 * @param endpoint the server and the model on it
 * @param maxTokens the longest answer
 * @param schema the JSON schema that answers must follow, if there is one ({@code response_format})
 */
record ChatEndpoint(Endpoint endpoint, int maxTokens, Optional<JsonNode> schema) implements JudgeModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "chat/completions";

    /** Answers of at most 512 tokens. */
    static ChatEndpoint of(Endpoint endpoint) {
        return new ChatEndpoint(endpoint, 512, Optional.empty());
    }

    @Override
    public String answer(List<ChatMessage> messages) {
        ObjectNode body = JSON.createObjectNode().put("temperature", 0).put("max_tokens", maxTokens);
        ArrayNode list = body.putArray("messages");
        messages.forEach(message -> list.addObject().put("role", message.role()).put("content", message.content()));
        schema.ifPresent(wanted -> body.putObject("response_format").put("type", "json_schema")
                .putObject("json_schema").put("name", "judgement").put("strict", true).set("schema", wanted));
        JsonNode answer = endpoint.post(PATH, body);
        JsonNode content = answer.at("/choices/0/message/content");
        if (!content.isTextual()) {
            throw endpoint.trouble(PATH, "answers without choices[0].message.content: "
                    + Endpoint.shortened(answer.toString()));
        }
        return content.textValue();
    }
}
