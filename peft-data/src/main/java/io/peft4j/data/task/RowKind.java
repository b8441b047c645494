package io.peft4j.data.task;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.JsonLines;
import io.peft4j.data.format.RowSource;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** What the rows of a file are, by their keys, and the objectives of a training that they fit; the surest first. */
public enum RowKind {
    /** {@code {"prompt", "chosen", "rejected"}} and OpenAI's form of it. */
    PREFERENCES("a prompt with a better and a worse answer", "dpo, orpo or simpo", "{\"prompt\", \"chosen\", "
            + "\"rejected\"}", fields -> DataFormat.of(fields).filter(DataFormat.PREFERENCE::equals).isPresent()),
    /** {@code {"anchor", "positive"}}. */
    PAIRS("texts that belong together", "contrastive", "{\"anchor\", \"positive\"}", has("anchor", "positive")),
    /** {@code {"tokens", "labels"}}. */
    WORDS("words with labels", "token-classification", "{\"tokens\", \"labels\"}", has("tokens", "labels")),
    /** {@code {"question", "context"}}. */
    QUESTIONS("questions with a text", "question-answering", "{\"question\", \"context\", \"answers\"}",
            has("question", "context")),
    /** {@code {"text", "label"}}. */
    TEXTS("texts with a label", "classification", "{\"text\", \"label\"}", has("text", "label")),
    /** {@code {"messages", "label"}}, or {@code "prompt"} and {@code "completion"} for the messages. */
    JUDGED("answers with a label", "kto", "{\"messages\", \"label\"}",
            has("messages", "label").or(has("prompt", "completion", "label"))),
    /** {@code {"source", "target"}}. */
    SOURCES("a source and a target", "sft, of an encoder-decoder", "{\"source\", \"target\"}",
            has("source", "target")),
    /** {@code {"messages"}} and all else that is read as a conversation. */
    CHATS("conversations", "sft or distillation", "{\"messages\"}", fields -> DataFormat.of(fields)
            .filter(format -> format != DataFormat.TEXT).isPresent());

    private final String words;
    private final String objectives;
    private final String form;
    private final Predicate<Map<String, Object>> keys;

    RowKind(String words, String objectives, String form, Predicate<Map<String, Object>> keys) {
        this.words = words;
        this.objectives = objectives;
        this.form = form;
        this.keys = keys;
    }

    private static Predicate<Map<String, Object>> has(String... keys) {
        return fields -> fields.keySet().containsAll(Arrays.asList(keys));
    }

    /**
     * Checks that a file is not one for another objective. A file whose first row is of no kind is left to its reader,
     * which says what is missing.
     *
     * @throws DataException when the first row is of another kind; says which objective it fits
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public void require(DataFile file) {
        Optional<Map<String, Object>> fields = firstRow(file);
        if (fields.filter(keys).isPresent()) {
            return;
        }
        fields.flatMap(row -> Arrays.stream(values()).filter(kind -> kind.keys.test(row)).findFirst())
                .ifPresent(other -> {
                    throw new DataException(file.path(), 1, "holds " + other.words + ", which fit the objective "
                            + other.objectives + "; here " + words + " are expected: " + form);
                });
    }

    /**
     * Whether a file's first row is of this kind.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public boolean isOf(DataFile file) {
        return firstRow(file).filter(keys).isPresent();
    }

    /**
     * What a file's first row is; empty where it is none of these.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static Optional<RowKind> of(DataFile file) {
        return firstRow(file).flatMap(row -> Arrays.stream(values()).filter(kind -> kind.keys.test(row)).findFirst());
    }

    /**
     * Whether a file's first row is a plain text.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static boolean isPlainText(DataFile file) {
        return firstRow(file).flatMap(DataFormat::of).filter(DataFormat.TEXT::equals).isPresent();
    }

    /** What the rows are, in words. */
    public String words() {
        return words;
    }

    /** Their keys, as in {@code {"text", "label"}}. */
    public String form() {
        return form;
    }

    /** The objectives that learn them, in words. */
    public String objectives() {
        return objectives;
    }

    /**
     * What conversations that a file's rows are read as leave out of them, as a sentence; empty where that is nothing.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static Optional<String> leftOutOfChats(DataFile file) {
        if (PREFERENCES.isOf(file)) {
            return Optional.of(file.path() + " holds " + PREFERENCES.words + ": the better answers alone are learned; "
                    + "preference training (DPO, ORPO or SimPO) learns from both");
        }
        return JUDGED.isOf(file) ? Optional.of(file.path() + " holds " + JUDGED.words + ": good and bad ones are "
                + "learned alike; KTO tells them apart") : Optional.empty();
    }

    private static Optional<Map<String, Object>> firstRow(DataFile file) {
        return RowSource.first(file).map(JsonLines.Row::fields);
    }
}
