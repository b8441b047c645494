package io.peft4j.core.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How a network is asked a question: by a marker before each option, whose hidden state a head scores, or as a chat
 * whose answer would be the label of an option, by the logits of the labels' tokens. One sequence asks one question.
 */
public interface DecisionForm {
    /**
     * A question as a network reads it.
     *
     * @param sequence the tokens; where labels are predicted, followed by a label that stands for the answer and is
     *     supervised
     * @param outputs for each option, in the order of the question, its marker's place in the sequence, or the id of
     *     its label
     */
    record Encoded(TokenSequence sequence, int[] outputs) {
    }

    /**
     * A question about a state.
     *
     * @param order in which the network reads the options: numbers of the question's
     * @throws io.peft4j.core.error.ConfigurationException when the question does not fit the network
     */
    Encoded encode(JsonNode state, DecisionQuestion question, int... order);

    /** As the other, with the options in the question's order. */
    default Encoded encode(JsonNode state, DecisionQuestion question) {
        return encode(state, question, IntStream.range(0, question.options().size()).toArray());
    }

    /** The logits of the options of each question, in the order of its options. */
    List<double[]> logits(Model model, List<Encoded> questions);

    /**
     * The first tokens of the names of a choice's options as texts, in the order of the question; empty where they do
     * not tell the options apart, or options are marked.
     */
    default List<String> nameLabels(DecisionQuestion question) {
        return List.of();
    }

    /** Whether options have labels that the network predicts. */
    boolean predictsLabels();

    /**
     * The form of a model, with its own settings.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model has neither a head of markers nor a chat
     *     template
     */
    static DecisionForm of(LanguageModel model) {
        return of(model, model.decisions());
    }

    /** As the other, with other settings. */
    static DecisionForm of(LanguageModel model, DecisionSettings settings) {
        return model.network().task().type() == Task.Type.DECISION ? new MarkerForm(model, settings)
                : new LabelForm(model, settings);
    }
}
