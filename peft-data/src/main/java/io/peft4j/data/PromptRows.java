package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.MessageReader;
import io.peft4j.data.format.OpenRows;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads what a model is to be asked from a file of any type ({@link OpenRows}), its rows in one of these forms:
 * <ul>
 * <li>{@code {"messages": [...]}}: a chat. Messages of the assistant at its end, as test data has them, are the
 * expected answer and are left out.
 * <li>{@code {"prompt": "..."}} or {@code {"question": "..."}}: a text.
 * <li>{@code {"source": "..."}}: what the encoder of an encoder-decoder reads.
 * <li>{@code {"prompt": [...]}}: a chat.
 * </ul>
 * With a {@code "task_id"} ({@link TaskIds}) the answer is that of the task. Other keys are ignored.
 */
@Internal(shared = true)
public final class PromptRows {
    /** The columns of tables of prompts. */
    public static final List<List<String>> COLUMNS = List.of(List.of("question"), List.of("source"));
    private static final List<String> FORMS = List.of("messages", "prompt", "question", "source");

    private PromptRows() {
    }

    /**
     * Reads a file.
     *
     * @param file the file
     * @param textsAreChats whether a text is a user's message, for a model with a chat template, or a text to continue
     * @return the prompts in the order of the rows, at least one
     * @throws DataException when a row has none of the forms, or the file has no row: with file and line
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static List<Prompt> read(DataFile file, boolean textsAreChats) {
        return read(file, textsAreChats, new TaskIds(LayerSelection.BASE));
    }

    /**
     * The same for a model.
     *
     * @throws DataException also when the model has no such task as a row names
     */
    public static List<Prompt> read(DataFile file, boolean textsAreChats, Model asked) {
        return read(file, textsAreChats, TaskIds.of(asked));
    }

    private static List<Prompt> read(DataFile file, boolean textsAreChats, TaskIds tasks) {
        return OpenRows.list(file, "one JSON object with one of " + FORMS, row -> {
            Prompt prompt = of(row, textsAreChats);
            tasks.require(prompt.task(), row::wrong);
            return prompt;
        });
    }

    /** The same of a file that is read as what it looks like. */
    public static List<Prompt> read(Path file, boolean textsAreChats) {
        return read(DataFile.of(file), textsAreChats);
    }

    /** The prompt of a text: a user's message or a text to continue. */
    public static Prompt ofText(String text, boolean textsAreChats) {
        return textsAreChats ? Prompt.chat(List.of(ChatMessage.user(text))) : Prompt.text(text);
    }

    /**
     * The prompt of a row.
     *
     * @param textsAreChats whether a text is a user's message, or a text to continue
     * @throws DataException when it has none of the forms
     */
    public static Prompt of(DataRow row, boolean textsAreChats) {
        return asked(row, textsAreChats).inTask(TaskIds.of(row.fields()));
    }

    private static Prompt asked(DataRow row, boolean textsAreChats) {
        String form = row.one(FORMS, COLUMNS);
        Object value = row.fields().get(form);
        if (value instanceof String text && form.equals("source")) {
            return Prompt.text(text);
        }
        if (value instanceof String text && !form.equals("messages")) {
            return ofText(text, textsAreChats);
        }
        if (form.equals("question") || form.equals("source")) {
            throw row.wrong("\"" + form + "\" is not a string");
        }
        return Prompt.chat(MessageReader.asked(row, form), MessageReader.tools(row));
    }
}
