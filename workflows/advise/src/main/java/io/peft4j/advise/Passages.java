package io.peft4j.advise;

import io.peft4j.core.error.DataException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.RowSource;
import io.peft4j.eval.Arm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
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
     * The paragraphs of a text file, as of a handbook in Markdown: what blank lines divide. A heading goes with the
     * paragraph below it. Of a handbook in HTML, PDF, DOCX or XLSX each section is a passage.
     *
     * @throws DataException when there is none, or the document cannot be read
     * @throws UncheckedIOException when the file cannot be read as UTF-8
     */
    public static Passages ofFile(Path file) {
        List<String> passages = new ArrayList<>();
        if (file.toString().toLowerCase(Locale.ROOT).matches(".*\\.(pdf|docx|xlsx|html?)")) {
            RowSource.read(DataFile.of(file), row -> passages.add((row.fields().get("heading") + "\n"
                    + row.fields().get("answer")).strip()));
            return of(file, passages);
        }
        StringBuilder heading = new StringBuilder();
        try {
            for (String part : Files.readString(file).split("\\R\\s*\\R")) {
                String text = part.strip();
                if (text.startsWith("#") && text.lines().count() == 1) {
                    heading.append(text.replaceFirst("^#+\\s*", "")).append("\n");
                } else if (!text.isEmpty()) {
                    passages.add(heading + text);
                    heading.setLength(0);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + " as text", e);
        }
        return of(file, passages);
    }

    private static Passages of(Path file, List<String> passages) {
        if (passages.isEmpty()) {
            throw new DataException(file, "holds no paragraph");
        }
        return new Passages("passages of " + file.getFileName(), passages);
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
        Bm25 index = new Bm25(texts);
        return new Arm("retrieved", "the base model with up to " + IN_PROMPT + " " + source + " in its prompt, found "
                + "by BM25", model, messages -> {
                    String question = messages.get(messages.size() - 1).content();
                    List<ChatMessage> asked = new ArrayList<>();
                    int[] best = index.best(question, IN_PROMPT);
                    String own = messages.stream().filter(message -> message.role().equals(ROLE))
                            .map(ChatMessage::content).collect(Collectors.joining("\n"));
                    String found = Arrays.stream(best).mapToObj(texts::get).collect(Collectors.joining("\n\n"));
                    asked.add(ChatMessage.system((own.isEmpty() ? "" : own + "\n\n") + "Answer the question from these "
                            + "passages, in one sentence:\n\n" + found));
                    messages.stream().filter(message -> !message.role().equals(ROLE)).forEach(asked::add);
                    return asked;
                });
    }
}
