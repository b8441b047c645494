package io.peft4j.data.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.MessageReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What the rows of a file are: the keys that tell it, and how they become examples. An objective of an application may
 * have a kind of its own.
 *
 * @param <E> an example
 */
public final class RowKind<E> {
    /** The kinds below that say what is right for an input, in their order. */
    private static final List<RowKind<?>> LABELLED = new CopyOnWriteArrayList<>();

    /** {@code {"prompt", "chosen", "rejected"}} and OpenAI's form of it. */
    public static final RowKind<PreferenceExample> PREFERENCES = labelled(
            "a prompt with a better and a worse answer", "{\"prompt\", \"chosen\", \"rejected\"}",
            fields -> DataFormat.of(fields).filter(DataFormat.PREFERENCE::equals).isPresent(),
            rows -> PreferenceRows.pairs(rows), RowKind::example);
    /** {@code {"anchor", "positive"}}, or {@code "query"} for the first. */
    public static final RowKind<TextPair> PAIRS = labelled("texts that belong together",
            "{\"anchor\", \"positive\"}", has("anchor", "positive").or(has("query", "positive")),
            rows -> TaskRows.read(rows, "\"anchor\" and \"positive\"", TaskRows::pair),
            row -> Statement.of(TaskRows.pair(row)));
    /** {@code {"tokens", "labels"}}. */
    public static final RowKind<LabelledWords> WORDS = labelled("words with labels", "{\"tokens\", \"labels\"}",
            has("tokens", "labels"), rows -> TaskRows.read(rows, "\"tokens\" and \"labels\"", TaskRows::words),
            row -> Statement.of(TaskRows.words(row)));
    /**
     * Questions with a text: {@code {"question", "context", "answers": {"text": [...], "answer_start": [...]}}} as
     * SQuAD has it, there also as a list of {@code {"text", "answer_start"}} (the first answer counts, none means that
     * there is no answer), or {@code "answer"} and {@code "start"}. Places count code points, as Python does.
     */
    public static final RowKind<SpanQuestion> QUESTIONS = new RowKind<>("questions with a text",
            "{\"question\", \"context\", \"answers\"}", has("question", "context"), rows -> TaskRows.questions(rows));
    /** {@code {"text", "label"}}. */
    public static final RowKind<LabelledText> TEXTS = labelled("texts with a label", "{\"text\", \"label\"}",
            has("text", "label").or(has("text", "label_probabilities")),
            rows -> TaskRows.read(rows, "\"text\" and \"label\"", TaskRows::labelled),
            row -> TaskRows.asked(row).isPresent() ? example(row) : Statement.of(TaskRows.labelled(row)));
    /**
     * How relevant texts are to a query: rows of {@link #PAIRS}, {@code {"query", "documents", "labels"}} with lists,
     * and {@code {"text", "text_pair", "label"}}.
     */
    public static final RowKind<RankedQuery> RANKINGS = labelled("queries with relevant and other texts",
            "{\"query\", \"positive\", \"negatives\"}", has("anchor", "positive")
                    .or(has("query", "positive")).or(has("query", "documents", "labels"))
                    .or(has("text", "text_pair", "label")),
            rows -> RankedQuery.read(rows), row -> Statement.of(RankedQuery.of(row)));
    /** {@code {"state", "questions"}} with {@code "expected"} or {@code "gold"}. */
    public static final RowKind<DecisionRow> DECISIONS = labelled("questions about a state",
            "{\"state\", \"questions\", \"expected\"}", has("state", "questions"), rows -> DecisionRows.labelled(rows),
            row -> Statement.of(DecisionRows.row(row)));
    /** {@code {"messages", "label"}}, or {@code "prompt"} and {@code "completion"} for the messages. */
    public static final RowKind<JudgedAnswer> JUDGED = labelled("answers with a label",
            "{\"messages\", \"label\"}", has("messages", "label").or(has("prompt", "completion", "label")),
            rows -> PreferenceRows.judged(rows), row -> PreferenceRows.judgement(row));
    /** {@code {"source", "target"}}. */
    public static final RowKind<SourceTarget> SOURCES = new RowKind<>("a source and a target",
            "{\"source\", \"target\"}", has("source", "target"),
            rows -> rows.list("one JSON object with \"source\" and \"target\"", TaskRows::source));

    /** {@code {"messages", "samples": [{"text", "reward"}]}}, or another form of prompt. */
    public static final RowKind<AnswerGroup> SAMPLES = new RowKind<>("prompts with answers and their rewards",
            "{\"messages\", \"samples\": [{\"text\", \"reward\"}, ...]}", has(AnswerGroupRows.SAMPLES).and(asks()),
            rows -> AnswerGroupRows.read(rows, true));
    /** Prompts that a model is to answer: {@code {"messages"}}, {@code {"prompt"}} or {@code {"question"}}. */
    public static final RowKind<AnswerGroup> PROMPTS = new RowKind<>("prompts", "{\"messages\"}",
            asks().and(has(AnswerGroupRows.SAMPLES).or(has("chosen")).negate()),
            rows -> AnswerGroupRows.read(rows, false));

    private static final Pattern NAME = Pattern.compile("\"(\\w+)\"");

    private final String words;
    private final String form;
    private final Predicate<Map<String, Object>> keys;
    private final Function<OpenRows, List<E>> reader;
    private final Function<DataRow, List<Statement>> statements;

    /**
     * A kind of row.
     *
     * @param words what the rows are, such as {@code texts with a label}
     * @param form their keys, as in {@code {"text", "label"}}
     * @param keys whether a row is of this kind, by its keys and values
     * @param reader reads all rows; throws {@link DataException} where one is wrong
     */
    public RowKind(String words, String form, Predicate<Map<String, Object>> keys,
            Function<OpenRows, List<E>> reader) {
        this(words, form, keys, reader, RowKind::example);
    }

    private RowKind(String words, String form, Predicate<Map<String, Object>> keys,
            Function<OpenRows, List<E>> reader, Function<DataRow, List<Statement>> statements) {
        this.words = words;
        this.form = form;
        this.keys = keys;
        this.reader = reader;
        this.statements = statements;
    }

    private static <E> RowKind<E> labelled(String words, String form, Predicate<Map<String, Object>> keys,
            Function<OpenRows, List<E>> reader, Function<DataRow, List<Statement>> statements) {
        RowKind<E> kind = new RowKind<>(words, form, keys, reader, statements);
        LABELLED.add(kind);
        return kind;
    }

    private static List<Statement> example(DataRow row) {
        return ExampleReader.example(row).map(Statement::of).orElse(List.of());
    }

    /**
     * The kind of a row that says what is right for an input; empty where it is of none. A conversation may have a
     * label for other purposes.
     */
    public static Optional<RowKind<?>> labelled(Map<String, Object> fields) {
        return LABELLED.stream().filter(kind -> kind.isOf(fields)
                && (kind != JUDGED || PreferenceRows.judgement(fields.get("label")).isPresent())).findFirst();
    }

    /** Rows to be looked at or mended as a whole where they are of a kind that no format of examples holds. */
    public static OpenRows whole(OpenRows rows) {
        boolean whole = rows.file().format().isEmpty() && rows.first().filter(fields -> labelled(fields).filter(
                kind -> DataFormat.of(fields).isEmpty() || kind == TEXTS && (fields.containsKey("text_pair")
                        || !fields.containsKey("label") || fields.get("label") instanceof List<?>))
                .isPresent())
                .isPresent();
        return whole ? rows.as(DataFormat.TASK) : rows;
    }

    /**
     * What a row says.
     *
     * @throws DataException when the row is wrong
     */
    @Internal
    public List<Statement> statements(DataRow row) {
        return statements.apply(row);
    }

    /** Rows that have all of these keys. */
    public static Predicate<Map<String, Object>> has(String... keys) {
        return fields -> fields.keySet().containsAll(Set.of(keys));
    }

    private static Predicate<Map<String, Object>> asks() {
        return fields -> AnswerGroupRows.PROMPTS.stream().anyMatch(fields::containsKey);
    }

    /** Whether a row is of this kind, by its keys and values. */
    public boolean isOf(Map<String, Object> fields) {
        return keys.test(fields);
    }

    /** Whether the first row is of this kind. */
    public boolean isOf(OpenRows rows) {
        return rows.first().filter(keys).isPresent();
    }

    /**
     * The examples of a file.
     *
     * @throws DataException when rows are wrong or there is none: with the file and the line of the first
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public List<E> read(DataFile file) {
        try (OpenRows rows = OpenRows.open(file)) {
            return read(rows);
        }
    }

    /** As {@link #read(DataFile)}, of a file that is open. */
    public List<E> read(OpenRows rows) {
        try {
            return reader.apply(rows);
        } catch (DataException e) {
            if (rows.first().isEmpty() || isOf(rows)) {
                throw e;
            }
            throw new DataException(e.file(), e.line(), e.column(), "here " + words + " are expected: " + form
                    + "; " + e.problem(), e);
        }
    }

    /** What the rows are, in words. */
    public String words() {
        return words;
    }

    /** Their keys, as in {@code {"text", "label"}}. */
    public String form() {
        return form;
    }

    /** The columns of a table of such rows ({@link TableColumns#of}); conversations are whatever a table can hold. */
    public List<List<String>> forms() {
        List<String> names = NAME.matcher(form).results().map(name -> name.group(1)).toList();
        return names.contains("messages") ? TableColumns.EXAMPLES : List.of(names);
    }

    /** What conversations that rows are read as leave out of them, as a sentence; empty where that is nothing. */
    public static Optional<String> leftOutOfChats(OpenRows rows) {
        if (PREFERENCES.isOf(rows)) {
            return Optional.of(rows.file() + " holds " + PREFERENCES.words + ": only the better answers are learned; "
                    + "preference training (DPO, ORPO or SimPO) learns from both");
        }
        return JUDGED.isOf(rows) ? Optional.of(rows.file() + " holds " + JUDGED.words + ": good and bad ones are "
                + "learned alike; KTO tells them apart") : Optional.empty();
    }

    @Override
    public String toString() {
        return words + ": " + form;
    }

    /**
     * Reads prompts ({@code "messages"}, {@code "prompt"} or {@code "question"}), with or without {@code "samples"}.
     */
    private static final class AnswerGroupRows {
        static final List<String> PROMPTS = List.of("messages", "prompt", "question");
        static final String SAMPLES = "samples";

        private AnswerGroupRows() {
        }

        /**
         * The groups of a file.
         *
         * @param sampled whether the rows bring their answers
         */
        static List<AnswerGroup> read(OpenRows rows, boolean sampled) {
            return rows.list("one of " + PROMPTS, row -> group(row, sampled));
        }

        private static AnswerGroup group(DataRow row, boolean sampled) {
            String form = row.one(PROMPTS, List.of(List.of("question")));
            Object value = row.fields().get(form);
            List<ChatMessage> asked = value instanceof String text && !form.equals("messages")
                    ? List.of(ChatMessage.user(text)) : MessageReader.asked(row, form);
            return new AnswerGroup(new ChatExample(asked, MessageReader.tools(row), row.fields(),
                    new Origin(row.file().toString(), row.line()), value instanceof String),
                    sampled ? samples(row) : List.of());
        }

        private static List<AnswerGroup.Sample> samples(DataRow row) {
            List<AnswerGroup.Sample> samples = new ArrayList<>();
            if (!(row.fields().get(SAMPLES) instanceof List<?> list) || list.size() < 2) {
                throw row.wrong("\"" + SAMPLES + "\" must be a list of two answers or more: rewards are compared");
            }
            for (Object each : list) {
                boolean whole = each instanceof Map<?, ?> sample && sample.get("text") instanceof String
                        && sample.get("reward") instanceof Number reward && Double.isFinite(reward.doubleValue());
                if (!whole) {
                    throw row.wrong(
                            "sample " + (samples.size() + 1) + " is not {\"text\": \"...\", \"reward\": number}");
                }
                Map<?, ?> sample = (Map<?, ?>) each;
                samples.add(new AnswerGroup.Sample((String) sample.get("text"),
                        ((Number) sample.get("reward")).doubleValue()));
            }
            return samples;
        }
    }
}
