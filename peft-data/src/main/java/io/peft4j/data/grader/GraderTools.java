package io.peft4j.data.grader;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Map;

/** The models that graders ask. Used by several threads at a time. */
public interface GraderTools {
    /** None: graders that ask a model are refused. */
    GraderTools NONE = new GraderTools() {
        @Override
        public String answer(String model, List<ChatMessage> messages, Map<String, Object> schema) {
            throw new ConfigurationException("no model is at hand that could grade as '" + model + "'");
        }

        @Override
        public List<float[]> embed(List<String> texts) {
            throw new ConfigurationException("no model of embeddings is at hand");
        }
    };

    /**
     * The answer of a model.
     *
     * @param model its name, as the grader has it
     * @param messages what it is asked
     * @param schema the JSON schema that the answer must follow
     * @throws java.io.UncheckedIOException when a server cannot be reached or fails
     */
    String answer(String model, List<ChatMessage> messages, Map<String, Object> schema);

    /** One vector for each text, all of one length. */
    List<float[]> embed(List<String> texts);
}
