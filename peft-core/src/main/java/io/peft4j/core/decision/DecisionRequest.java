package io.peft4j.core.decision;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.ConfigurationException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Questions about one state.
 *
 * @param state what is asked about: a text, which may be empty, or an object or list, which models read as JSON
 * @param questions by name, in their order
 */
public record DecisionRequest(JsonNode state, Map<String, DecisionQuestion> questions) {
    /** Copies the map. */
    public DecisionRequest {
        Objects.requireNonNull(state, "state");
        questions = Collections.unmodifiableMap(new LinkedHashMap<>(questions));
        if (!state.isTextual() && !state.isContainerNode()) {
            throw new ConfigurationException("\"state\" is " + state + "; it must be a text, an object or a list");
        }
        if (questions.isEmpty()) {
            throw new ConfigurationException("a request needs at least one question");
        }
    }

    /** Questions about a text. */
    public static DecisionRequest of(String text, Map<String, DecisionQuestion> questions) {
        return new DecisionRequest(TextNode.valueOf(text), questions);
    }

    /** One question about a text, called {@code question}. */
    public static DecisionRequest of(String text, DecisionQuestion question) {
        return of(text, Map.of("question", question));
    }

    /**
     * A request in System One's form: {@code {"state", "questions"}}; other keys are ignored.
     *
     * @throws ConfigurationException when it is none
     */
    public static DecisionRequest of(JsonNode request) {
        if (!request.has("state")) {
            throw new ConfigurationException("\"state\" is missing; a request is {\"state\", \"questions\"}");
        }
        return new DecisionRequest(request.get("state"), DecisionQuestion.all(request.path("questions")));
    }
}
