package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.SourceEncoder;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.MessageReader;
import io.peft4j.data.format.OpenRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Reads texts whose likelihood is asked for from a file of any type ({@link OpenRows}), as token ids with the
 * predicted ones marked:
 * <ul>
 * <li>{@code {"text": "..."}}: every token after the first, with the special tokens that transformers' tokenizer adds.
 * <li>{@code {"input_ids": [...]}}: every token after the first.
 * <li>{@code {"messages": [...]}}: the supervised tokens of a chat, see {@link ChatEncoder}.
 * <li>{@code {"prompt": "...", "completion": "..."}}: the tokens of the completion, which follows the prompt as it is:
 * no chat template, and no end-of-sequence token is added. Where both are lists of messages, the supervised tokens of
 * the completion's messages.
 * <li>{@code {"question": "...", "answer": "..."}}: the supervised tokens of a chat of the two.
 * <li>{@code {"source": "...", "target": "..."}}, for encoder-decoders: every token of the target, its end included.
 * </ul>
 * With a {@code "task_id"} ({@link TaskIds}) the likelihood is that of the task. Other keys are ignored.
 */
@Internal(shared = true)
public final class ScoringRows {
    private static final List<String> FORMS = List.of("text", "input_ids", "messages", "prompt", "source");
    private static final List<List<String>> COLUMNS = List.of(List.of("prompt", "completion"), List.of("text"),
            List.of("source", "target"));

    private final LanguageModel model;
    private final TaskIds tasks;

    /** A reader for the tokenizer, the chat template and the limits of a model. */
    public ScoringRows(LanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
        this.tasks = TaskIds.of(model);
    }

    /**
     * Reads a file row by row.
     *
     * @param file the file
     * @param action told of each row, in their order
     * @throws DataException when a row has none of the forms, is empty or longer than the model's limit, or is a chat
     *     and the model has no chat template, or when the file has no row: with file and line
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public void read(DataFile file, Consumer<TokenSequence> action) {
        try (OpenRows rows = OpenRows.open(file)) {
            if (rows.forEach(row -> action.accept(sequence(row))) == 0) {
                throw new DataException(file.path(), "contains no rows; expected one JSON object with \"text\", "
                        + "\"input_ids\", \"messages\", or \"prompt\" and \"completion\" a line");
            }
        }
    }

    /** The same of a file that is read as what it looks like. */
    public void read(Path file, Consumer<TokenSequence> action) {
        read(DataFile.of(file), action);
    }

    /**
     * The tokens of a row.
     *
     * @throws DataException when it has none of the forms, is empty or longer than the model's limit, is a chat and the
     *     model has no chat template, or the model has no such task
     */
    public TokenSequence sequence(DataRow row) {
        if (row.present(FORMS).isEmpty() && row.fields().keySet().containsAll(List.of("question", "answer"))) {
            return checked(row, chat(row, List.of(ChatMessage.user(text(row, "question")), ChatMessage.assistant(text(
                    row, "answer")))));
        }
        return checked(row, switch (row.one(FORMS, COLUMNS)) {
            case "text" -> all(row, model.tokenizer().encodeWithSpecials(text(row, "text")));
            case "input_ids" -> all(row, ids(row));
            case "source" -> new SourceEncoder(model).encode(text(row, "source"), text(row, "target"));
            case "messages" -> chat(row, MessageReader.messages(row, "messages"));
            default -> continuation(row);
        });
    }

    private static TokenSequence all(DataRow row, int[] ids) {
        if (ids.length == 0) {
            throw row.wrong("has no tokens");
        }
        return TokenSequence.allSupervised(ids);
    }

    private static String text(DataRow row, String key) {
        if (!(row.fields().get(key) instanceof String text)) {
            throw row.wrong("\"" + key + "\" is " + (row.fields().containsKey(key) ? "not a string" : "missing"));
        }
        return text;
    }

    private int[] ids(DataRow row) {
        if (!(row.fields().get("input_ids") instanceof List<?> list)) {
            throw row.wrong("\"input_ids\" is not a list");
        }
        int vocabulary = model.network().description().vocabularySize();
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!(list.get(i) instanceof Integer id && id >= 0 && id < vocabulary)) {
                throw row.wrong("\"input_ids\" holds " + list.get(i) + "; token ids are integers from 0 to "
                        + (vocabulary - 1));
            }
            ids[i] = id;
        }
        return ids;
    }

    private TokenSequence continuation(DataRow row) {
        if (row.fields().get("prompt") instanceof List<?>) {
            return chatContinuation(row);
        }
        String prompt = text(row, "prompt");
        int[] head = model.tokenizer().encodeWithSpecials(prompt);
        int[] ids = model.tokenizer().encodeWithSpecials(prompt + text(row, "completion"));
        if (ids.length < head.length || Arrays.mismatch(head, 0, head.length, ids, 0, head.length) >= 0) {
            throw row.wrong("a token spans the border between \"prompt\" and \"completion\", so the completion "
                    + "has no separate likelihood; move spaces at the end of the prompt to the beginning of the "
                    + "completion");
        }
        float[] weights = new float[ids.length];
        Arrays.fill(weights, head.length, ids.length, 1);
        return weights.length == 0 ? all(row, ids) : new TokenSequence(ids, weights);
    }

    /** The turns of the prompt count as context only. */
    private TokenSequence chatContinuation(DataRow row) {
        List<ChatMessage> messages = new ArrayList<>();
        MessageReader.messages(row, "prompt").forEach(turn -> messages.add(ChatExample.unlearned(turn)));
        messages.addAll(MessageReader.messages(row, "completion"));
        return chat(row, messages);
    }

    /** Unlike in training, an answer may be empty: its end-of-turn token has a likelihood. */
    private TokenSequence chat(DataRow row, List<ChatMessage> messages) {
        if (messages.stream().noneMatch(message -> message.role().equals("assistant"))) {
            throw row.wrong("has no assistant message to score");
        }
        return ChatEncoder.of(model).encode(new ChatExample(messages, MessageReader.tools(row), Map.of(),
                new Origin(row.file().toString(), row.line())));
    }

    private TokenSequence checked(DataRow row, TokenSequence sequence) {
        int limit = model.network().description().maxPositions();
        if (sequence.length() > limit) {
            throw row.wrong("has " + sequence.length() + " tokens; the model's limit is " + limit);
        }
        int task = TaskIds.of(row.fields());
        tasks.require(task, row::wrong);
        return sequence.inTask(task);
    }
}
