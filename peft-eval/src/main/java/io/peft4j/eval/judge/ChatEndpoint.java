package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.text.ChatMessage;
import java.util.List;

/**
 * A chat model on a server that speaks OpenAI's protocol ({@code POST chat/completions}), asked with temperature 0.
 *
 * @param endpoint the server and the model on it
 * @param maxTokens the longest answer
 */
record ChatEndpoint(Endpoint endpoint, int maxTokens) implements JudgeModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "chat/completions";

    /** Answers of at most 512 tokens. */
    public static ChatEndpoint of(Endpoint endpoint) {
        return new ChatEndpoint(endpoint, 512);
    }

    @Override
    public String answer(List<ChatMessage> messages) {
        ObjectNode body = JSON.createObjectNode().put("temperature", 0).put("max_tokens", maxTokens);
        ArrayNode list = body.putArray("messages");
        messages.forEach(message -> list.addObject().put("role", message.role()).put("content", message.content()));
        JsonNode answer = endpoint.post(PATH, body);
        JsonNode content = answer.at("/choices/0/message/content");
        if (!content.isTextual()) {
            throw endpoint.trouble(PATH, "answers without choices[0].message.content: "
                    + Endpoint.shortened(answer.toString()));
        }
        return content.textValue();
    }
}
