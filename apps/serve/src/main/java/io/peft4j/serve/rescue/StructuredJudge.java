package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.judge.Endpoint;
import io.peft4j.eval.judge.JudgeModel;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/** A model that judges answers: it is asked for one JSON object of a given form, and nothing else counts. */
@FunctionalInterface
interface StructuredJudge {
    /** What the model says, or why it says nothing of use; {@code schema} is an object of required properties. */
    Ruling judge(List<ChatMessage> messages, ObjectNode schema);

    /**
     * What it says.
     *
     * @param value the object that was asked for
     * @param trouble why there is none
     */
    record Ruling(Optional<JsonNode> value, Optional<String> trouble) {
        static Ruling of(JsonNode value) {
            return new Ruling(Optional.of(value), Optional.empty());
        }

        static Ruling failed(String trouble) {
            return new Ruling(Optional.empty(), Optional.of(trouble));
        }
    }

    /** A model behind an endpoint with structured outputs. */
    static StructuredJudge on(Endpoint endpoint) {
        return (messages, schema) -> read(messages, schema, JudgeModel.on(endpoint, schema));
    }

    /** A model of any kind. */
    static StructuredJudge of(JudgeModel model) {
        return (messages, schema) -> read(messages, schema, model);
    }

    private static Ruling read(List<ChatMessage> messages, ObjectNode schema, JudgeModel model) {
        try {
            String text = model.answer(messages);
            JsonNode value = new ObjectMapper().readTree(text);
            for (JsonNode name : schema.path("required")) {
                if (!value.hasNonNull(name.asText())) {
                    return Ruling.failed("the judge does not answer with " + schema.path("required") + ": " + text);
                }
            }
            return Ruling.of(value);
        } catch (JsonProcessingException e) {
            return Ruling.failed("the judge does not answer with JSON");
        } catch (UncheckedIOException e) {
            return Ruling.failed("the judge cannot be asked: " + e.getMessage());
        }
    }
}
