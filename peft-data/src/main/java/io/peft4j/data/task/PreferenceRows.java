package io.peft4j.data.task;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowFault;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads answers that are compared or judged, one row each. A row whose answer is empty is read as one: whoever trains
 * on it says so and leaves it out. Each method throws a {@link DataException} with file and line of the first row that
 * is wrong and a list of others, or without one if there is no such row, and {@link java.io.UncheckedIOException} when
 * the file cannot be read.
 */
public final class PreferenceRows {
    private static final List<String> ANSWERS = List.of("chosen", "rejected", "preferred_output",
            "non_preferred_output", "preferred_completion", "non_preferred_completion", "completion", "messages");

    private PreferenceRows() {
    }

    /**
     * Prompts with a better and a worse answer: {@code {"prompt", "chosen", "rejected"}} as texts or lists of messages,
     * or OpenAI's {@code {"input": {"messages": [...]}, "preferred_output": [...], "non_preferred_output": [...]}},
     * also with {@code preferred_completion} and {@code non_preferred_completion}.
     */
    public static List<PreferenceExample> pairs(Path file) {
        return RowKind.PREFERENCES.read(DataFile.of(file));
    }

    static List<PreferenceExample> pairs(OpenRows rows) {
        return read(rows.as(DataFormat.PREFERENCE), "{\"prompt\": ..., \"chosen\": ..., \"rejected\": ...}",
                item -> item.example().map(PreferenceExample.class::cast).orElseGet(() -> unanswered(item.row())));
    }

    /**
     * Conversations whose last answer was judged: {@code {"messages": [...], "label": true}}, or {@code "prompt"} and
     * {@code "completion"} instead of the messages. A label is true or false, 1 or 0.
     */
    public static List<JudgedAnswer> judged(Path file) {
        return RowKind.JUDGED.read(DataFile.of(file));
    }

    static List<JudgedAnswer> judged(OpenRows rows) {
        return read(rows, "{\"messages\": [...], \"label\": true}", item -> new JudgedAnswer(item.example()
                .map(example -> chat(item.row(), example)).orElseGet(() -> unanswered(item.row()).preferredChat()),
                label(item.row())));
    }

    static List<Statement> judgement(DataRow row) {
        boolean good = label(row);
        return ExampleReader.example(row).flatMap(Example::toChat).map(chat -> Statement.of(chat, good))
                .orElse(List.of());
    }

    private static ChatExample chat(DataRow row, Example example) {
        return example.toChat().orElseThrow(() -> new DataException(row.file(), row.line(), "is a plain text; expected "
                + "\"messages\", or \"prompt\" and \"completion\", with a \"label\""));
    }

    private static boolean label(DataRow row) {
        Object label = row.fields().get("label");
        return judgement(label).orElseThrow(() -> new DataException(row.file(), row.line(), "\"label\" is "
                + (label == null ? "missing" : label) + "; it must be true (good answer) or false"));
    }

    /** Whether a label says good or bad; empty where it says something else. Tables hold texts alone. */
    static Optional<Boolean> judgement(Object label) {
        String word = String.valueOf(label).toLowerCase(Locale.ROOT);
        return List.of("true", "1", "1.0").contains(word) ? Optional.of(true)
                : List.of("false", "0", "0.0").contains(word) ? Optional.of(false) : Optional.empty();
    }

    private static <T> List<T> read(OpenRows rows, String expected, Function<ExampleReader.Item, T> example) {
        try (ExampleReader reader = ExampleReader.of(rows)) {
            return reader.list(expected, item -> {
                if (item.example().isEmpty() && !hasEmptyAnswer(item.row())) {
                    throw item.row().exception();
                }
                return example.apply(item);
            });
        }
    }

    /** Whether an answer without content is the only fault of a row. */
    private static boolean hasEmptyAnswer(DataRow row) {
        return row.faults().stream().filter(RowFault::fatal).allMatch(fault -> fault.code().equals("missing_content"))
                && ANSWERS.stream().anyMatch(key -> isEmpty(row.fields().get(key)));
    }

    private static boolean isEmpty(Object answer) {
        if (answer instanceof List<?> turns) {
            return turns.stream().anyMatch(turn -> turn instanceof Map<?, ?> fields
                    && "assistant".equals(fields.get("role")) && isEmpty(fields.get("content")));
        }
        return answer instanceof String text && text.isBlank();
    }

    private static PreferenceExample unanswered(DataRow row) {
        List<ChatMessage> nothing = List.of(ChatMessage.assistant(""));
        return new PreferenceExample(List.of(ChatMessage.user("")), nothing, nothing, List.of(), Map.of(),
                new Origin(row.file().toString(), row.line()));
    }
}
