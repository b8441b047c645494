package io.peft4j.core.decision;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The answers to a request.
 *
 * @param answers by the names of the questions, in their order
 * @param inputTokens the tokens that were read, those of the state once for each question
 */
public record DecisionResult(Map<String, DecisionAnswer> answers, long inputTokens) {
    /** Copies the map. */
    public DecisionResult {
        answers = Collections.unmodifiableMap(new LinkedHashMap<>(answers));
    }

    /** The answers in System One's form: {@code {"answers", "usage"}}. */
    public ObjectNode toJson() {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        ObjectNode named = node.putObject("answers");
        answers.forEach((name, answer) -> named.set(name, answer.toJson()));
        node.putObject("usage").put("input_tokens", inputTokens).put("output_tokens", 0);
        return node;
    }
}
