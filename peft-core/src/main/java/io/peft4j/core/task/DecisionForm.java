package io.peft4j.core.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How a network is asked a question: by a marker before each option, whose hidden state a head scores; by the vectors
 * of the text and of each option; or as a chat whose answer would be the label of an option, by the logits of the
 * labels' tokens.
 */
@Internal(shared = true)
public interface DecisionForm {
    /** What cosines of vectors are multiplied with to make logits, as where embedders are trained. */
    double SCALE = 20;

    /**
     * A question as a network reads it.
     *
     * @param sequences the tokens, in one sequence; where labels are predicted, followed by a label that stands for the
     *     answer and is supervised; where vectors are compared, the text and then each option
     * @param outputs for each option, in the order of the question, its marker's place in the sequence, the id of its
     *     label, or the number of its sequence
     */
    record Encoded(List<TokenSequence> sequences, int[] outputs) {
        /** Copies the list. */
        public Encoded {
            sequences = List.copyOf(sequences);
        }

        Encoded(TokenSequence sequence, int[] outputs) {
            this(List.of(sequence), outputs);
        }

        /** The only sequence, or the text. */
        public TokenSequence sequence() {
            return sequences.get(0);
        }
    }

    /**
     * A question about a state.
     *
     * @param order in which the network reads the options: numbers of the question's
     * @throws ConfigurationException when the question does not fit the network
     */
    Encoded encode(JsonNode state, DecisionQuestion question, int... order);

    /**
     * As the other, of one of a request's questions, which a prompt may ask all at once.
     *
     * @param name of the question
     */
    default Encoded encode(DecisionRequest request, String name, int... order) {
        return encode(request.state(), request.questions().get(name), order);
    }

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
     * @throws ConfigurationException when the model has neither a head of markers nor a chat
     *     template
     */
    static DecisionForm of(LanguageModel model) {
        return of(model, model.decisions());
    }

    /** As the other, with other settings. */
    static DecisionForm of(LanguageModel model, DecisionSettings settings) {
        Task.Type task = model.network().task().type();
        if (task.hasHead() && task != Task.Type.DECISION) {
            throw new ConfigurationException(model.network().description().name() + " is a model for " + task
                    + " and has no head for options; load it for DECISION and train it, or ask a chat model or an "
                    + "embedder");
        }
        if (task != Task.Type.DECISION) {
            return new LabelForm(model, settings);
        }
        return model.network().headed().comparesVectors() ? new SimilarityForm(model, settings)
                : new MarkerForm(model, settings);
    }
}
