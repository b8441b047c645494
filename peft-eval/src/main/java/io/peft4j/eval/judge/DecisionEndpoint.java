package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.task.DecisionRow;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A model of decisions on a server with System One's route ({@code POST systemone}), as a teacher: its probabilities
 * are what a small model learns.
 *
 * @param endpoint the server and the model on it
 */
@Internal(shared = true)
public record DecisionEndpoint(Endpoint endpoint) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "systemone";

    /** Refuses null. */
    public DecisionEndpoint {
        Objects.requireNonNull(endpoint, "endpoint");
    }

    /**
     * The request with the probabilities that the server gives to the options of each question.
     *
     * @throws java.io.UncheckedIOException when the server cannot be reached, refuses, or leaves out probabilities
     */
    public DecisionRow label(DecisionRequest request) {
        ObjectNode body = JSON.createObjectNode();
        body.set("state", request.state());
        ObjectNode questions = body.putObject("questions");
        request.questions().forEach((name, question) -> questions.set(name, question.toJson()));
        JsonNode answers = endpoint.post(PATH, body).path("answers");
        Map<String, List<Double>> gold = new LinkedHashMap<>();
        request.questions().forEach((name, question) -> gold.put(name, probabilities(name, question,
                answers.path(name))));
        try {
            return new DecisionRow(request, gold);
        } catch (ConfigurationException e) {
            throw endpoint.trouble(PATH, "answers with " + e.getMessage());
        }
    }

    private List<Double> probabilities(String name, DecisionQuestion question, JsonNode answer) {
        if (question.kind() == DecisionQuestion.Kind.NOUL && answer.path("noul").isNumber()) {
            double yes = answer.get("noul").doubleValue();
            return List.of(1 - yes, yes);
        }
        JsonNode named = answer.path("probabilities");
        return question.names().stream().map(option -> {
            if (!named.path(option).isNumber()) {
                throw endpoint.trouble(PATH, "answers question '" + name + "' without a probability of '" + option
                        + "': " + Endpoint.shortened(answer.toString()));
            }
            return named.get(option).doubleValue();
        }).toList();
    }
}
