package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;

/** The items of a response's {@code output}. */
final class ResponseItems {
    private ResponseItems() {
    }

    /** A message; its content has still to come where its status is {@code in_progress}. */
    static ObjectNode message(String id, String status) {
        ObjectNode message = Json.object().put("id", id).put("type", "message").put("status", status)
                .put("role", "assistant");
        message.putArray("content");
        return message;
    }

    /** The part of a message's text. */
    static ObjectNode text(String text, ArrayNode logProbabilities) {
        ObjectNode part = Json.object().put("type", "output_text").put("text", text);
        part.putArray("annotations");
        part.set("logprobs", logProbabilities);
        return part;
    }

    /** The same message with its text. */
    static ObjectNode message(String id, String status, JsonNode part) {
        ObjectNode message = message(id, status);
        ((ArrayNode) message.get("content")).add(part);
        return message;
    }

    /** What the model thinks; the text has still to come where the status is {@code in_progress}. */
    static ObjectNode reasoning(String id, String status, String text) {
        ObjectNode item = Json.object().put("id", id).put("type", "reasoning").put("status", status);
        item.putArray("summary");
        ArrayNode content = item.putArray("content");
        if (!text.isEmpty()) {
            content.addObject().put("type", "reasoning_text").put("text", text);
        }
        return item;
    }

    /** A call of a function. */
    static ObjectNode call(String id, String callId, String name, String arguments, String status) {
        return Json.object().put("id", id).put("type", "function_call").put("status", status).put("call_id", callId)
                .put("name", name).put("arguments", arguments);
    }
}
