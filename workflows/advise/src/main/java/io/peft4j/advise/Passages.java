package io.peft4j.advise;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.PassageIndex;
import io.peft4j.eval.Arm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Texts of which those that match a question are put into its prompt.
 *
 * @param source where they come from, in words
 * @param texts the passages
 */
public record Passages(String source, List<String> texts) {
    private static final int IN_PROMPT = 3;
    private static final String ROLE = "system";

    /** Copies the list. */
    public Passages {
        texts = List.copyOf(texts);
    }

    /**
     * The passages of a handbook, see {@link PassageIndex#ofFile}.
     *
     * @throws io.peft4j.core.error.DataException when there is none, or the document cannot be read
     * @throws java.io.UncheckedIOException when the file cannot be read as UTF-8
     */
    public static Passages ofFile(Path file) {
        return new Passages("passages of " + file.getFileName(), PassageIndex.ofFile(file).texts());
    }

    /** What the examples say: each question with its answer. */
    public static Passages of(ChatDataset examples) {
        return new Passages("training examples", examples.stream().map(ChatExample::messages)
                .map(messages -> messages.stream().filter(message -> !message.role().equals(ROLE))
                        .map(ChatMessage::content).collect(Collectors.joining("\n")))
                .toList());
    }

    /** A model that is asked with the passages that match the question best. */
    public Arm arm(LanguageModel model) {
        PassageIndex index = PassageIndex.of(texts);
        return new Arm("retrieved", "the base model with up to " + IN_PROMPT + " " + source + " in its prompt, found "
                + "by BM25", model, messages -> {
                    String question = messages.get(messages.size() - 1).content();
                    List<ChatMessage> asked = new ArrayList<>();
                    String own = messages.stream().filter(message -> message.role().equals(ROLE))
                            .map(ChatMessage::content).collect(Collectors.joining("\n"));
                    String found = String.join("\n\n", index.best(question, IN_PROMPT));
                    asked.add(ChatMessage.system((own.isEmpty() ? "" : own + "\n\n") + "Answer the question from these "
                            + "passages, in one sentence:\n\n" + found));
                    messages.stream().filter(message -> !message.role().equals(ROLE)).forEach(asked::add);
                    return asked;
                });
    }
}
