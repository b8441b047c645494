package io.peft4j.eval.judge;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.grader.GraderObject;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.data.grader.GraderTools;
import java.util.List;
import java.util.Map;

/**
 * A model that is asked for {@code {"result": ...}}.
 *
 * @param model its name
 * @param input what it is asked
 * @param result the JSON schema of the result
 * @param tools ask it
 */
record ModelGrader(String model, List<Map.Entry<String, GraderTemplate>> input, Map<String, Object> result,
        GraderTools tools) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String RESULT = "result";

    static ModelGrader read(GraderObject object, Map<String, Object> result, GraderTools tools) {
        String model = object.text("model");
        // A model of this process or server decides for the likeliest.
        object.ignore("sampling_params");
        return new ModelGrader(model, object.messages("input"), result, tools);
    }

    /** What the model says. */
    JsonNode ask(Map<String, Object> item, String answer) {
        List<ChatMessage> messages = GraderObject.filled(input, item, answer);
        String said = tools.answer(model, messages, Map.of("type", "object", "properties", Map.of(RESULT, result),
                "required", List.of(RESULT), "additionalProperties", false));
        try {
            JsonNode value = JSON.readTree(said).path(RESULT);
            if (!value.isMissingNode()) {
                return value;
            }
        } catch (JsonProcessingException e) {
            // As an object without a result.
        }
        throw new ConfigurationException("the model '" + model + "' does not answer with {\"" + RESULT + "\": ...} but "
                + "with: " + said);
    }
}
