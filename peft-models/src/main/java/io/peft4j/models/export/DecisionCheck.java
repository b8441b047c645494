package io.peft4j.models.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.DecisionForm;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether a model that was written reads typed questions as the one that it was written from. */
final class DecisionCheck {
    private DecisionCheck() {
    }

    /**
     * Compares the tokens of a few questions, if there is something to say of them.
     *
     * @throws ConfigurationException when they differ
     */
    static void require(LanguageModel model, LanguageModel written) {
        boolean decides = model.network().task().type() == Task.Type.DECISION
                || !model.decisions().equals(DecisionSettings.DEFAULT);
        if (!decides) {
            return;
        }
        DecisionForm before = DecisionForm.of(model);
        DecisionForm after = DecisionForm.of(written);
        JsonNode state = JsonNodeFactory.instance.objectNode().put("a", "b \u00e9").put("n", 1);
        for (DecisionQuestion question : questions()) {
            DecisionForm.Encoded own = before.encode(state, question);
            DecisionForm.Encoded other = after.encode(state, question);
            if (!Arrays.equals(own.outputs(), other.outputs()) || own.sequences().size() != other.sequences().size()
                    || !Arrays.equals(own.sequence().ids(), other.sequence().ids())) {
                throw new ConfigurationException("the prompt of typed questions cannot be written: a "
                        + question.kind().word() + " reads otherwise from the file");
            }
        }
    }

    private static List<DecisionQuestion> questions() {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("a", "b");
        options.put("c", "");
        return List.of(DecisionQuestion.choice("Which?", options), DecisionQuestion.score("How?", List.of("a", "b")),
                DecisionQuestion.yesNo("Is it?"), DecisionQuestion.yesNo("Is it?", "a", ""));
    }
}
