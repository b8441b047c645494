package io.peft4j.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.EventStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Vertex AI's contract: {@code {"instances": [...], "parameters": {...}}} is answered by {@code {"predictions":
 * [{"text": "..."}, ...]}}. An instance is a text, {@code {"prompt": "..."}}, {@code {"messages": [...]}} or
 * {@code {"inputs": "..."}}.
 */
@Internal(shared = true)
public final class VertexEndpoint implements EndpointContract {
    private final ObjectMapper json = new ObjectMapper();
    private final String healthRoute;
    private final String answerRoute;

    /** The contract with the routes that Vertex AI has chosen. */
    public VertexEndpoint(String healthRoute, String answerRoute) {
        this.healthRoute = Objects.requireNonNull(healthRoute, "healthRoute");
        this.answerRoute = Objects.requireNonNull(answerRoute, "answerRoute");
    }

    @Override
    public String healthRoute() {
        return healthRoute;
    }

    @Override
    public String answerRoute() {
        return answerRoute;
    }

    @Override
    public Optional<Reply> answer(LanguageModel model, String contentType, String body, EventStream events) {
        JsonNode request = Bodies.value(body);
        JsonNode instances = request.path("instances");
        if (!instances.isArray() || instances.isEmpty()) {
            throw new ConfigurationException("a request is {\"instances\": [...], \"parameters\": {...}} with an "
                    + "instance or more");
        }
        GenerationOptions options = GenerationOptions.defaults();
        if (request.hasNonNull("parameters")) {
            JsonNode parameters = request.get("parameters");
            options = AnswerParameters.of(parameters, Question.names(parameters), options);
        }
        List<Question> questions = new ArrayList<>();
        for (JsonNode instance : instances) {
            questions.add(Question.of(instance, model.chatTemplate().isPresent(), options));
        }
        ObjectNode reply = json.createObjectNode();
        ArrayNode predictions = reply.putArray("predictions");
        Question.answers(model, questions).forEach(answer -> predictions.addObject().put("text", answer.text()));
        return Optional.of(new Reply("application/json", reply.toString()));
    }
}
