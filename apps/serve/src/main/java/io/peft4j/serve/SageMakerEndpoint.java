package io.peft4j.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.RequestFields;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * SageMaker's contract, {@code GET /ping} and {@code POST /invocations}:
 * <ul>
 * <li>{@code {"prompt": "..."}}, with parameters beside it or under {@code parameters}: {@code {"text": "..."}}
 * <li>{@code {"messages": [...]}}, with parameters likewise: OpenAI's {@code chat.completion} with {@code choices};
 * with {@code "stream": true} its {@code chat.completion.chunk} as server-sent events
 * <li>{@code {"inputs": "..."}} or a list of texts, as Hugging Face's containers have it:
 * {@code [{"generated_text": "..."}]}
 * <li>{@code application/jsonlines}: such an object a line, and a line for each answer
 * </ul>
 */
@Internal(shared = true)
public final class SageMakerEndpoint implements EndpointContract {
    private static final String JSON = "application/json";
    private static final Set<String> LINES = Set.of("application/jsonlines", "application/jsonl",
            "application/x-jsonlines", "application/x-ndjson");
    private static final Set<String> TYPES = Set.of("", JSON, "application/x-www-form-urlencoded");

    private final ObjectMapper json = new ObjectMapper();

    @Override
    public String healthRoute() {
        return "/ping";
    }

    @Override
    public String answerRoute() {
        return "/invocations";
    }

    @Override
    public Optional<Reply> answer(LanguageModel model, String contentType, String body, EventStream events) {
        if (LINES.contains(contentType)) {
            return Optional.of(lines(model, contentType, body));
        }
        // What sends JSON without saying so, curl for one, says form.
        if (!TYPES.contains(contentType)) {
            throw ApiException.of(415, "invalid_request_error", "unsupported_type", null, "the content type is "
                    + contentType + "; it must be " + JSON + " or application/jsonlines");
        }
        JsonNode request = Bodies.value(body);
        if (request instanceof ObjectNode row && row.has("messages")) {
            RequestFields fields = new RequestFields(row);
            boolean stream = fields.flag("stream");
            boolean usage = fields.inner("stream_options").flag("include_usage");
            row.remove(List.of("stream", "stream_options"));
            if (stream) {
                stream(model, row, usage, events);
                return Optional.empty();
            }
        }
        return Optional.of(new Reply(JSON, results(model, List.of(request)).get(0).toString()));
    }

    private Reply lines(LanguageModel model, String contentType, String body) {
        List<JsonNode> rows = body.lines().filter(line -> !line.isBlank()).map(Bodies::value).toList();
        StringBuilder text = new StringBuilder();
        results(model, rows).forEach(result -> text.append(result).append('\n'));
        return new Reply(contentType, text.toString());
    }

    /** For as long as the answer grows and the client is there: whoever reads along needs no limit of time. */
    private void stream(LanguageModel model, JsonNode row, boolean usage, EventStream events) {
        Question question = Question.of(row, true, GenerationOptions.defaults());
        ObjectNode head = head(model, "chat.completion.chunk");
        ObjectNode role = json.createObjectNode().put("role", "assistant");
        Completion answer = model.generate(List.of(question.prompt()), question.options().withListener(
                (index, piece) -> {
                    ObjectNode delta = role.deepCopy().put("content", piece);
                    role.removeAll();
                    return piece.isEmpty() ? !events.isBroken() : events.send(chunk(head, delta, null));
                })).get(0);
        events.send(chunk(head, json.createObjectNode(), finish(answer)));
        if (usage) {
            ObjectNode last = head.deepCopy();
            last.putArray("choices");
            events.send(last.set("usage", usage(answer)));
        }
        events.end();
    }

    private static ObjectNode chunk(ObjectNode head, ObjectNode delta, String finish) {
        ObjectNode chunk = head.deepCopy();
        chunk.putArray("choices").addObject().put("index", 0).put("finish_reason", finish).set("delta", delta);
        return chunk;
    }

    /** A result for each row. */
    private List<JsonNode> results(LanguageModel model, List<JsonNode> rows) {
        boolean chat = model.chatTemplate().isPresent();
        List<Question> questions = new ArrayList<>();
        List<Integer> counts = new ArrayList<>();
        for (JsonNode row : rows) {
            List<Question> some = questions(row, chat);
            questions.addAll(some);
            counts.add(some.size());
        }
        List<Completion> answers = Question.answers(model, questions);
        List<JsonNode> results = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < rows.size(); i++) {
            results.add(result(model, rows.get(i), answers.subList(from, from + counts.get(i))));
            from += counts.get(i);
        }
        return results;
    }

    private List<Question> questions(JsonNode row, boolean chat) {
        JsonNode inputs = row.path("inputs");
        if (!inputs.isArray() || inputs.isEmpty() || !inputs.get(0).isTextual()) {
            return List.of(Question.of(row, chat, GenerationOptions.defaults()));
        }
        List<Question> questions = new ArrayList<>();
        for (JsonNode text : inputs) {
            if (!text.isTextual()) {
                throw new ConfigurationException("\"inputs\" is a list of texts with " + text + " in it");
            }
            questions.add(Question.of(((ObjectNode) row.deepCopy()).set("inputs", text), chat,
                    GenerationOptions.defaults()));
        }
        return questions;
    }

    private JsonNode result(LanguageModel model, JsonNode row, List<Completion> answers) {
        if (row.has("messages")) {
            return chat(model, answers.get(0));
        }
        if (!row.has("inputs")) {
            return json.createObjectNode().put("text", answers.get(0).text());
        }
        ArrayNode list = json.createArrayNode();
        answers.forEach(answer -> list.addObject().put("generated_text", answer.text()));
        return list;
    }

    private ObjectNode chat(LanguageModel model, Completion answer) {
        ObjectNode reply = head(model, "chat.completion");
        ObjectNode choice = reply.putArray("choices").addObject().put("index", 0);
        choice.putObject("message").put("role", "assistant").put("content", answer.text());
        choice.put("finish_reason", finish(answer));
        return reply.set("usage", usage(answer));
    }

    private ObjectNode head(LanguageModel model, String object) {
        return json.createObjectNode().put("id", "chatcmpl-" + UUID.randomUUID()).put("object", object)
                .put("created", Instant.now().getEpochSecond()).put("model", model.network().description().name());
    }

    private static String finish(Completion answer) {
        return answer.stopReason() == Completion.StopReason.LENGTH ? "length" : "stop";
    }

    private ObjectNode usage(Completion answer) {
        return json.createObjectNode().put("prompt_tokens", answer.promptTokens())
                .put("completion_tokens", answer.ids().length)
                .put("total_tokens", answer.promptTokens() + answer.ids().length);
    }
}
