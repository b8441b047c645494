package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.option.With;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.task.Expectation.Choices;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What a model says of items beside its answers, each where the items have what it takes.
 *
 * @param cut how many answers were cut at the limit of new tokens
 * @param likelihood of the references
 * @param choices among given answers
 * @param labelAuc of the labels' likelihoods
 * @param draws agreement of answers that are drawn several times
 */
@Internal(shared = true)
@With
public record ModelMeasures(OptionalInt cut, Optional<Perplexity> likelihood,
        Optional<MultipleChoice.Result> choices, OptionalDouble labelAuc,
        Optional<Consistency> draws) implements ModelMeasuresWith {
    /** Nothing: there is no model. */
    public static final ModelMeasures NONE = new ModelMeasures(OptionalInt.empty(), Optional.empty(),
            Optional.empty(), OptionalDouble.empty(), Optional.empty());

    /** Refuses null. */
    public ModelMeasures {
        ModelMeasuresWith.check(cut, likelihood, choices, labelAuc, draws);
    }

    /**
     * Asks a model.
     *
     * @param model the model
     * @param items the items
     * @param likelihood whether the likelihood of the references is measured
     */
    public static ModelMeasures of(LanguageModel model, List<EvaluationItem> items, boolean likelihood) {
        List<ChatExample> told = new ArrayList<>();
        List<MultipleChoice.Question> questions = new ArrayList<>();
        for (EvaluationItem item : items) {
            Prompt prompt = item.prompt(model);
            if (likelihood && !item.references().isEmpty() && !item.references().get(0).isBlank()) {
                List<ChatMessage> messages = new ArrayList<>(item.messages());
                messages.replaceAll(ModelMeasures::unlearned);
                messages.add(ChatMessage.assistant(item.references().get(0)));
                // Without a chat template a lone question is a text, and the reference its continuation.
                told.add((prompt instanceof Prompt.Text text
                        ? ChatExample.continuation(text.text(), item.references().get(0))
                        : ChatExample.of(messages.toArray(ChatMessage[]::new))).inTask(prompt.task()));
            }
            item.further().choices().map(choices -> question(prompt, choices)).ifPresent(questions::add);
        }
        return new ModelMeasures(OptionalInt.empty(), told.isEmpty() ? Optional.empty()
                : Perplexity.ofFitting(model, ChatDataset.of(told)),
                questions.isEmpty() ? Optional.empty() : Optional.of(MultipleChoice.of(model).on(questions)),
                labelAuc(model, items), Optional.empty());
    }

    private static ChatMessage unlearned(ChatMessage message) {
        return message.role().equals("assistant")
                ? new ChatMessage(message.role(), message.content(), java.util.Map.of("weight", 0)) : message;
    }

    private static MultipleChoice.Question question(Prompt prompt, Choices choices) {
        return new MultipleChoice.Question(prompt, choices.texts(), choices.answer());
    }

    private static OptionalDouble labelAuc(LanguageModel model, List<EvaluationItem> items) {
        int[] labelled = IntStream.range(0, items.size()).filter(i -> items.get(i).further().label().isPresent())
                .toArray();
        List<String> right = IntStream.of(labelled).mapToObj(i -> items.get(i).further().label().orElseThrow())
                .toList();
        List<String> labels = right.stream().distinct().sorted().toList();
        if (labels.size() < 2) {
            return OptionalDouble.empty();
        }
        List<MultipleChoice.Question> questions = IntStream.range(0, labelled.length)
                .mapToObj(k -> new MultipleChoice.Question(items.get(labelled[k]).prompt(model), labels,
                        labels.indexOf(right.get(k))))
                .toList();
        List<double[]> shares = MultipleChoice.of(model).on(questions).outcomes().stream()
                .map(MultipleChoice.Outcome::probabilities).toList();
        // Of two labels one curve is the mirror of the other.
        return IntStream.range(0, labels.size() == 2 ? 1 : labels.size()).mapToDouble(label -> {
            boolean[] yes = new boolean[labelled.length];
            for (int k = 0; k < yes.length; k++) {
                yes[k] = right.get(k).equals(labels.get(label));
            }
            return Classification.areaUnderRoc(shares.stream().mapToDouble(share -> share[label]).toArray(), yes);
        }).average();
    }
}
