package io.peft4j.data.format;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.example.Example;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The kinds of rows that are read and written, in the order in which they are recognised. */
public enum DataFormat {
    /**
     * Held-out items: {@code question}, {@code prompt} or {@code messages} with {@code must_contain}, {@code any_of},
     * {@code reference} or what else a right answer is known by, and no answer to learn. Training data is never such.
     */
    EVALUATION(new EvaluationFormat()),
    /** OpenAI and Hugging Face: {@code {"messages": [...], "tools": [...]}}. */
    CHAT(new ChatFormat()),
    /** Gemini and Vertex AI: {@code {"systemInstruction": {...}, "contents": [...]}}. */
    GEMINI(new GeminiFormat()),
    /** {@code {"conversations": [{"from": "human", "value": "..."}, ...]}}. */
    SHAREGPT(new ShareGptFormat()),
    /**
     * OpenAI's {@code {"input": {"messages": [...]}, "preferred_output": [...], "non_preferred_output": [...]}}, and
     * {@code {"prompt", "chosen", "rejected"}} as texts or as lists of messages, the prompt also left out.
     */
    PREFERENCE(new PreferenceFormat()),
    /** {@code {"prompt", "completion"}} as texts, or as lists of messages. */
    COMPLETION(new CompletionFormat()),
    /** {@code {"instruction", "input", "output"}}, also with {@code system} and {@code history}. */
    ALPACA(new AlpacaFormat()),
    /**
     * {@code {"question", "answer"}}, also with {@code system}: the form for tables. Also {@code user} and
     * {@code assistant}, {@code query} or {@code instruction} and {@code response}, {@code input} and {@code output}.
     */
    QA(new QuestionAnswerFormat()),
    /** {@code {"text", "label"}}. */
    CLASSIFICATION(new ClassificationFormat()),
    /** {@code {"text"}}. */
    TEXT(new TextFormat(false)),
    /** Rows for models with a head, whatever their keys are; recognised where they are checked and cleaned. */
    TASK(new TextFormat(true));

    private final RowFormat rows;

    DataFormat(RowFormat rows) {
        this.rows = rows;
    }

    /**
     * The format of a name, in any case; {@code openai} and {@code messages} are {@link #CHAT}, {@code vertex} is
     * {@link #GEMINI}, {@code dpo} is {@link #PREFERENCE}.
     *
     * @throws ConfigurationException when there is none
     */
    public static DataFormat named(String name) {
        String known = switch (name.toLowerCase(Locale.ROOT)) {
            case "openai", "messages" -> "chat";
            case "vertex" -> "gemini";
            case "dpo" -> "preference";
            default -> name;
        };
        return Arrays.stream(values()).filter(format -> format.name().equalsIgnoreCase(known)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown data format '" + name + "'; use one of "
                        + names()));
    }

    /** The names, in lower case. */
    public static List<String> names() {
        return Arrays.stream(values()).map(format -> format.name().toLowerCase(Locale.ROOT)).toList();
    }

    /** The first format that a row looks like. */
    public static Optional<DataFormat> of(Map<String, Object> fields) {
        return Arrays.stream(values()).filter(format -> format.rows.recognizes(fields)).findFirst();
    }

    /** The example of a row; empty when the row has a fatal fault then. */
    Optional<Example> read(DataRow row) {
        return rows.read(row);
    }

    /** Whether rows can be cells of a table: others hold lists of messages. */
    boolean fitsTables() {
        return !List.of(EVALUATION, CHAT, GEMINI, SHAREGPT).contains(this);
    }

    /** The row of an example; empty where this format cannot hold it. */
    public Optional<Map<String, Object>> write(Example example) {
        return rows.write(example);
    }
}
