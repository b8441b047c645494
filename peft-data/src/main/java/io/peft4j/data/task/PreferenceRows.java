package io.peft4j.data.task;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.JsonLines;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.format.internal.DataFaults;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads answers that are compared or judged, one row each. A row whose answer is empty is read as one: whoever trains
 * on it says so and leaves it out. Each method throws a {@link DataException} with file and line of the first row that
 * is wrong and a list of others, or where there is none, and {@link java.io.UncheckedIOException} when the file cannot
 * be read.
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
        Path file = rows.file().path();
        return read(rows.as(DataFormat.PREFERENCE),
                "{\"prompt\": ..., \"chosen\": ..., \"rejected\": ...} a line", item -> item.example()
                        .map(PreferenceExample.class::cast).orElseGet(() -> unanswered(file, item.line())));
    }

    /**
     * Conversations whose last answer was judged: {@code {"messages": [...], "label": true}}, or {@code "prompt"} and
     * {@code "completion"} instead of the messages. A label is true or false, 1 or 0.
     */
    public static List<JudgedAnswer> judged(Path file) {
        return RowKind.JUDGED.read(DataFile.of(file));
    }

    static List<JudgedAnswer> judged(OpenRows rows) {
        Path file = rows.file().path();
        return read(rows, "{\"messages\": [...], \"label\": true} a line",
                item -> new JudgedAnswer(item.example().map(example -> chat(file, item.line(), example))
                        .orElseGet(() -> unanswered(file, item.line()).preferredChat()),
                        label(new JsonLines.Row(file, item.line(), item.fields()))));
    }

    static List<Statement> judgement(JsonLines.Row row) {
        boolean good = label(row);
        return ExampleReader.example(row).flatMap(Example::toChat).map(chat -> Statement.of(chat, good))
                .orElse(List.of());
    }

    private static ChatExample chat(Path file, long line, Example example) {
        return example.toChat().orElseThrow(() -> new DataException(file, line, "is a plain text; expected "
                + "\"messages\", or \"prompt\" and \"completion\", with a \"label\""));
    }

    private static boolean label(JsonLines.Row row) {
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

    private static <T> List<T> read(OpenRows source, String expected, Function<ExampleReader.Item, T> example) {
        Path file = source.file().path();
        List<T> examples = new ArrayList<>();
        List<DataException> faults = new ArrayList<>();
        try (ExampleReader reader = ExampleReader.of(source)) {
            Optional<ExampleReader.Item> item = reader.next();
            while (item.isPresent()) {
                try {
                    if (item.get().example().isEmpty() && !hasEmptyAnswer(item.get())) {
                        throw reader.exception(item.get());
                    }
                    examples.add(example.apply(item.get()));
                } catch (DataException e) {
                    faults.add(e);
                }
                item = faults.size() < DataFaults.MOST ? reader.next() : Optional.empty();
            }
        }
        DataFaults.throwAny(file, faults);
        if (examples.isEmpty()) {
            throw new DataException(file, "contains no examples; expected " + expected);
        }
        return examples;
    }

    /** Whether an answer without content is all that is wrong with a row. */
    private static boolean hasEmptyAnswer(ExampleReader.Item item) {
        return item.faults().stream().filter(RowFault::fatal).allMatch(fault -> fault.code().equals("missing_content"))
                && ANSWERS.stream().anyMatch(key -> isEmpty(item.fields().get(key)));
    }

    private static boolean isEmpty(Object answer) {
        if (answer instanceof List<?> turns) {
            return turns.stream().anyMatch(turn -> turn instanceof Map<?, ?> fields
                    && "assistant".equals(fields.get("role")) && isEmpty(fields.get("content")));
        }
        return answer instanceof String text && text.isBlank();
    }

    private static PreferenceExample unanswered(Path file, long line) {
        List<ChatMessage> nothing = List.of(ChatMessage.assistant(""));
        return new PreferenceExample(List.of(ChatMessage.user("")), nothing, nothing, List.of(), Map.of(),
                new Origin(file.toString(), line));
    }
}
