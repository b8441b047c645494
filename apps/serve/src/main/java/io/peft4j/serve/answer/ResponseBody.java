package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import java.util.List;

/** A response as {@code /v1/responses} has it, which repeats what was asked for. */
final class ResponseBody {
    private static final JsonNodeFactory VALUES = JsonNodeFactory.instance;
    /** Fields that are repeated as they came, null where they did not. */
    private static final List<String> REPEATED = List.of("instructions", "max_output_tokens", "max_tool_calls",
            "prompt_cache_key", "reasoning", "safety_identifier", "user");

    private final ObjectNode head;
    private final boolean timings;

    /**
     * A response to a request.
     *
     * @param created seconds since 1970
     */
    ResponseBody(ObjectNode request, long created) {
        this.timings = request.path("timings").asBoolean();
        this.head = Json.object().put("id", ReplyParts.id("resp_")).put("object", "response").put("created_at",
                created);
        head.set("model", request.get("model"));
        head.put("background", false).put("store", false).put("service_tier", "default")
                .putNull("previous_response_id");
        REPEATED.forEach(name -> head.set(name, request.path(name).isMissingNode() ? VALUES.nullNode()
                : request.get(name)));
        repeat(request, "metadata", Json.object());
        repeat(request, "parallel_tool_calls", VALUES.booleanNode(true));
        repeat(request, "temperature", VALUES.numberNode(1));
        repeat(request, "top_p", VALUES.numberNode(1));
        repeat(request, "top_logprobs", VALUES.numberNode(0));
        repeat(request, "tool_choice", VALUES.textNode("auto"));
        repeat(request, "tools", Json.array());
        repeat(request, "truncation", VALUES.textNode("disabled"));
        ObjectNode text = request.path("text").isObject() ? request.get("text").deepCopy() : Json.object();
        if (!text.hasNonNull("format")) {
            text.putObject("format").put("type", "text");
        }
        head.set("text", text);
    }

    private void repeat(ObjectNode request, String name, JsonNode otherwise) {
        head.set(name, request.hasNonNull(name) ? request.get(name) : otherwise);
    }

    /** While it is made. */
    ObjectNode inProgress() {
        return with("in_progress", Json.array());
    }

    /** When it is complete, or was cut by the limit of tokens. */
    ObjectNode ended(String status, List<ObjectNode> output, PendingAnswer pending, Completion completion) {
        ObjectNode body = with(status, Json.array().addAll(output));
        if (status.equals("incomplete")) {
            body.putObject("incomplete_details").put("reason", "max_output_tokens");
        }
        int prompt = pending.promptTokens();
        int answer = completion.ids().length;
        ObjectNode usage = body.putObject("usage").put("input_tokens", prompt);
        usage.putObject("input_tokens_details").put("cached_tokens", pending.reusedTokens())
                .put("cache_write_tokens", 0);
        usage.put("output_tokens", answer).putObject("output_tokens_details").put("reasoning_tokens", 0);
        ReplyParts.timed(usage.put("total_tokens", prompt + answer), List.of(pending), timings);
        return body;
    }

    /** When it failed after it began. */
    ObjectNode failed(ApiException error, List<ObjectNode> output) {
        ObjectNode body = with("failed", Json.array().addAll(output));
        body.putObject("error").put("code", error.status() == 429 ? "rate_limit_exceeded" : "server_error")
                .put("message", error.getMessage());
        return body;
    }

    private ObjectNode with(String status, ArrayNode output) {
        ObjectNode body = head.deepCopy().put("status", status).putNull("error").putNull("incomplete_details");
        body.set("output", output);
        return body.putNull("usage");
    }
}
