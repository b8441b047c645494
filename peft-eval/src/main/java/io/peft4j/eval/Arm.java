package io.peft4j.eval;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.ToolCheck;
import io.peft4j.eval.task.WordVectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A way of answering: a model, and what is put before each question.
 *
 * @param name its name in reports
 * @param description what answers, and how it is asked
 * @param model the model
 * @param prompt what a question becomes
 */
public record Arm(String name, String description, LanguageModel model, UnaryOperator<List<ChatMessage>> prompt) {
    private static final String SYSTEM = "system";
    private static final String LOOKUP = "the most similar training row";

    /** Refuses null. */
    public Arm {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(prompt, "prompt");
    }

    /** A model that is asked the questions as they are. */
    public static Arm plain(String name, String description, LanguageModel model) {
        return new Arm(name, description, model, UnaryOperator.identity());
    }

    /** A model with a system prompt; it takes the place of one that the question has. */
    public static Arm systemPrompt(LanguageModel model, String text) {
        return new Arm("system prompt", "the base model with the system prompt \"" + text + "\"", model, messages -> {
            List<ChatMessage> asked = new ArrayList<>(List.of(ChatMessage.system(text)));
            messages.stream().filter(message -> !message.role().equals(SYSTEM)).forEach(asked::add);
            return asked;
        });
    }

    /**
     * A model whose prompt holds the training examples most similar to the question (tf-idf cosine of the words), the
     * most similar last: what can be had without training.
     *
     * @param count number of examples
     * @throws ConfigurationException when there are fewer examples, or none is asked for
     */
    public static Arm fewShot(LanguageModel model, ChatDataset training, int count) {
        if (count < 1 || count > training.size()) {
            throw new ConfigurationException(count + " examples in the prompt; it must be 1 to " + training.size()
                    + ", the number of training examples");
        }
        List<ChatExample> examples = training.examples();
        WordVectors vectors = new WordVectors(examples.stream().map(Arm::question).toList());
        return new Arm("few-shot", "the base model with the " + count + " most similar training examples in its prompt",
                model, messages -> {
                    List<ChatMessage> asked = new ArrayList<>();
                    messages.stream().filter(message -> message.role().equals(SYSTEM)).forEach(asked::add);
                    int[] nearest = vectors.nearest(messages.get(messages.size() - 1).content(), count);
                    for (int i = nearest.length - 1; i >= 0; i--) {
                        examples.get(nearest[i]).messages().stream().filter(m -> !m.role().equals(SYSTEM))
                                .forEach(asked::add);
                    }
                    messages.stream().filter(message -> !message.role().equals(SYSTEM)).forEach(asked::add);
                    return asked;
                });
    }

    /**
     * What a lookup answers to items: what the most similar training row does (tf-idf cosine of the words). It needs
     * neither a model nor a training, and is what both are to beat. Empty where no row has an answer.
     */
    @Internal
    public static Optional<ArmAnswers> lookup(ChatDataset training, List<EvaluationItem> items) {
        List<ChatExample> answered = answered(training);
        if (answered.isEmpty()) {
            return Optional.empty();
        }
        WordVectors vectors = new WordVectors(answered.stream().map(Arm::question).toList());
        return Optional.of(ArmAnswers.given(Verdict.LOOKUP, LOOKUP, items.stream().map(item -> ToolCheck.answer(
                answered.get(vectors.nearest(item.question())))).toList()).ofPrompt());
    }

    /** The rows of a data set that ask something and answer it. */
    static List<ChatExample> answered(ChatDataset training) {
        return training.stream().filter(row -> !row.prompt().isEmpty() && row.prompt().size() < row.messages().size())
                .toList();
    }

    /** Items as they are asked. */
    public List<EvaluationItem> asking(List<EvaluationItem> items) {
        return items.stream().map(item -> item.asking(prompt.apply(item.messages()))).toList();
    }

    /** What the examples of a data set ask, one text each. */
    public static List<String> questions(ChatDataset dataset) {
        return dataset.stream().map(Arm::question).toList();
    }

    /** What a training example asks: the last message before its last answer. */
    static String question(ChatExample example) {
        List<ChatMessage> prompt = example.prompt();
        return prompt.isEmpty() ? "" : prompt.get(prompt.size() - 1).content();
    }
}
