package io.peft4j.eval.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.MessageReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import io.peft4j.eval.task.Expectation.Choices;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads held-out data and given answers from files of any type ({@link OpenRows}).
 *
 * <p>Rows of the data are {@code {"question": text}}, {@code {"source": text}} with {@code "target"} for the reference,
 * {@code {"messages": [...]}} or {@code {"prompt": text or messages, "completion": ...}} with {@code "reference"} (a
 * text or a list of texts of which the best counts) and/or {@code "must_contain"} (a text or a list of texts that must
 * all occur). An answer of the assistant at the end of the messages, the completion, or the {@code "answer"} of a
 * question without choices, is the reference where no other is given. Further ways to judge an answer, alone or
 * together ({@link ExpectationRows}): {@code "any_of"}, {@code "regex"}, {@code "label"}, {@code "format"},
 * {@code "choices"} with {@code "answer"}, {@code "refusal"}. With {@code "tools"} the {@code tool_calls} of the
 * answer are expected, or no call. {@code "former"} (a text or a list of texts) is what an answer had to hold in a
 * former edition. Rows of answers are {@code {"text": ...}} in the same
 * order. A {@code "task_id"} ({@link TaskIds}) is the task that an adapter answers as. Other keys are ignored.
 */
public final class EvaluationData {
    private static final List<String> ASKED = List.of("question", "messages", "prompt", "source");
    private static final String FORMER = "former";
    private static final List<List<String>> FORMS = List.of(List.of("question", "reference"),
            List.of("question", "must_contain"));
    /** The columns of tables of items ({@link TableColumns#of}). */
    public static final List<List<String>> COLUMNS = Stream.of(List.of(List.of("question", "answer", "reference?",
            "must_contain?"), List.of("question", "reference", "must_contain?"), List.of("question", "must_contain"),
            List.of("question", "any_of"), List.of("question", "regex"), List.of("question", "label")),
            TableColumns.EXAMPLES).flatMap(List::stream).toList();

    private EvaluationData() {
    }

    /**
     * Reads held-out items.
     *
     * @throws DataException when a row is wrong or there is none: with file and line
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static List<EvaluationItem> read(DataFile file) {
        return read(file, false);
    }

    /**
     * The same for a grader, which sees the whole rows: these need not say what a right answer is.
     *
     * @param graded whether answers are graded
     */
    public static List<EvaluationItem> read(DataFile file, boolean graded) {
        List<EvaluationItem> items = new ArrayList<>();
        try (OpenRows rows = OpenRows.open(file)) {
            rows.forEach(row -> items.add(item(row, graded)));
        }
        if (items.isEmpty()) {
            throw new DataException(file.path(), "contains no items; expected one JSON object with \"question\" or "
                    + "\"messages\" "
                    + "and \"reference\" or \"must_contain\" a line");
        }
        return EvaluationItem.together(items);
    }

    /** The same of a file that is read as what it looks like. */
    public static List<EvaluationItem> read(Path file) {
        return read(DataFile.of(file));
    }

    /**
     * Items with what a former edition answered to the same questions; upper and lower case are the same.
     *
     * @param former the items of the former edition
     * @throws ConfigurationException when no question is in both
     */
    public static List<EvaluationItem> withFormer(List<EvaluationItem> items, List<EvaluationItem> former) {
        Map<String, EvaluationItem> known = new HashMap<>();
        former.forEach(item -> known.putIfAbsent(asked(item), item));
        if (items.stream().noneMatch(item -> known.containsKey(asked(item)))) {
            throw new ConfigurationException("no question of the former edition's " + former.size() + " items is "
                    + "among the " + items.size() + " items; they are matched by their words");
        }
        return items.stream().map(item -> Optional.ofNullable(known.get(asked(item))).map(item::withFormer).orElse(
                item)).toList();
    }

    private static String asked(EvaluationItem item) {
        return item.messages().stream().map(message -> message.role() + ": " + message.content().strip()).collect(
                Collectors.joining("\n")).toLowerCase(Locale.ROOT);
    }

    private static EvaluationItem item(DataRow row, boolean graded) {
        Map<String, Object> fields = row.fields();
        if (fields.containsKey("question") && fields.containsKey("messages")) {
            throw row.wrong("has \"question\" and \"messages\" together; use one of them");
        }
        String asked = ASKED.stream().filter(fields::containsKey).findFirst().orElseThrow(() -> row.lacks(
                "has neither \"question\" nor \"messages\" nor \"prompt\"", FORMS));
        List<ChatMessage> messages = new ArrayList<>(said(row, asked, ChatMessage::user));
        if (asked.equals("prompt") && fields.containsKey("completion")) {
            messages.addAll(said(row, "completion", ChatMessage::assistant));
        } else if (asked.equals("question") && fields.get("answer") instanceof String
                && !fields.containsKey("choices")) {
            messages.addAll(said(row, "answer", ChatMessage::assistant));
        }
        int end = ChatExample.asked(messages).size();
        if (end == 0) {
            throw row.wrong("has only assistant messages, so there is no question to ask");
        }
        List<String> references = List.of();
        if (fields.containsKey("reference")) {
            references = TextFields.required(row.file(), row.line(), "reference", fields.get("reference"), true);
        } else if (asked.equals("source") && fields.containsKey("target")) {
            references = TextFields.required(row.file(), row.line(), "target", fields.get("target"), true);
        } else if (end < messages.size()) {
            references = List.of(messages.get(end).content());
        }
        List<String> facts = fields.containsKey(EvaluationItem.MUST_CONTAIN)
                ? TextFields.required(row.file(), row.line(), EvaluationItem.MUST_CONTAIN,
                        fields.get(EvaluationItem.MUST_CONTAIN), false)
                : List.of();
        Optional<ToolCheck> tools = tools(row, end < messages.size() ? Optional.of(messages.get(end))
                : Optional.empty());
        if (tools.filter(ToolCheck::needsCall).isPresent() && !fields.containsKey("reference")) {
            references = List.of();
        }
        Expectation plain = ExpectationRows.of(row);
        Expectation further = tools.map(plain::withTools).orElse(plain);
        if (fields.containsKey(FORMER)) {
            further = further.withFormer(new EvaluationItem(messages.subList(0, end), List.of(), TextFields.required(
                    row.file(), row.line(), FORMER, fields.get(FORMER), false)));
        }
        if (!graded && references.isEmpty() && facts.isEmpty() && !further.judgesText()) {
            throw row.lacks("has neither \"reference\" nor \"must_contain\" nor one of " + ExpectationRows.KEYS
                    + ", so no answer can be judged", FORMS);
        }
        return new EvaluationItem(messages.subList(0, end), references, facts, further, graded ? fields : Map.of(),
                TaskIds.of(fields), new Origin(row.file().toString(), row.line()));
    }

    /** The tools of a row, with the calls of its answer. */
    private static Optional<ToolCheck> tools(DataRow row, Optional<ChatMessage> answer) {
        List<Map<String, Object>> tools = MessageReader.tools(row);
        if (tools.isEmpty() || answer.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(ToolCheck.of(tools, answer.get()));
        } catch (IllegalArgumentException e) {
            throw row.wrong("\"tool_calls\": " + e.getMessage());
        }
    }

    /** The value of a key: a text, or messages; both only for prompts and completions. */
    private static List<ChatMessage> said(DataRow row, String key, Function<String, ChatMessage> speaker) {
        Object value = row.fields().get(key);
        if (key.equals("messages") || value instanceof List<?> && !key.equals("question")) {
            return MessageReader.messages(row, key);
        }
        if (!(value instanceof String text)) {
            throw row.wrong("\"" + key + "\" is not a string");
        }
        if (text.isBlank()) {
            throw row.wrong("\"" + key + "\" is blank");
        }
        return List.of(speaker.apply(text));
    }

    /**
     * Reads answers to items.
     *
     * @param file one {@code {"text": ...}} a line
     * @param items number of items that were asked
     * @throws DataException when a row is wrong, or the number of rows is not that of the items
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static List<String> answers(Path file, int items) {
        List<String> answers = new ArrayList<>();
        try (OpenRows rows = OpenRows.open(DataFile.of(file))) {
            rows.forEach(row -> {
                if (!(row.fields().get("text") instanceof String text)) {
                    throw row.wrong(row.fields().containsKey("text") ? "\"text\" is not a string"
                            : "has no \"text\", only " + row.fields().keySet());
                }
                answers.add(text);
            });
        }
        if (answers.size() != items) {
            int difference = Math.abs(answers.size() - items);
            throw new DataException(file, "holds " + answers.size() + " predictions for " + items
                    + " items of the data: "
                    + difference + (answers.size() < items ? " missing" : " too many")
                    + "; there must be one for each item, in the same order");
        }
        return answers;
    }

    /**
     * Reads what a row expects of an answer beside references and facts:
     * <ul>
     * <li>{@code "any_of"}: a text or a list of which one must occur;
     * <li>{@code "regex"}: an expression or a list that must all be found;
     * <li>{@code "normalize"}: true to normalise numbers and units in facts;
     * <li>{@code "label"}: the class that the answer must name;
     * <li>{@code "format"}: {@code {"json_schema": {...}}}, {@code {"regex": text}} or {@code {"words": [least,
     * most]}};
     * <li>{@code "choices"} with {@code "answer"}, the index of the right one from 0, or its text;
     * <li>{@code "refusal"}: whether a right answer refuses.
     * </ul>
     */
    private static final class ExpectationRows {
        static final List<String> KEYS = List.of("any_of", "regex", "label", "format", "choices", "refusal");
        private static final ObjectMapper JSON = new ObjectMapper();

        private ExpectationRows() {
        }

        static Expectation of(DataRow row) {
            Map<String, Object> fields = row.fields();
            List<FactCheck> facts = new ArrayList<>();
            if (fields.containsKey("any_of")) {
                facts.add(FactCheck.anyOf(texts(row, "any_of").toArray(String[]::new)));
            }
            if (fields.containsKey("regex")) {
                texts(row, "regex").forEach(expression -> facts.add(regex(row, expression)));
            }
            Expectation expectation = new Expectation(facts, false,
                    fields.containsKey("label") ? Optional.of(text(row, "label")) : Optional.empty(),
                    fields.containsKey("format") ? Optional.of(form(row)) : Optional.empty(),
                    fields.containsKey("choices") ? Optional.of(choices(row)) : Optional.empty(),
                    fields.containsKey("refusal") ? Optional.of(flag(row, "refusal")) : Optional.empty());
            return fields.containsKey("normalize") && flag(row, "normalize") ? expectation.normalized() : expectation;
        }

        private static List<String> texts(DataRow row, String key) {
            return TextFields.required(row.file(), row.line(), key, row.fields().get(key), false);
        }

        private static String text(DataRow row, String key) {
            if (row.fields().get(key) instanceof String text && !text.isBlank()) {
                return text;
            }
            throw row.wrong("\"" + key + "\" is " + row.fields().get(key) + "; it must be a non-blank string");
        }

        private static boolean flag(DataRow row, String key) {
            if (row.fields().get(key) instanceof Boolean flag) {
                return flag;
            }
            throw row.wrong("\"" + key + "\" is " + row.fields().get(key) + "; it must be true or false");
        }

        private static FactCheck regex(DataRow row, String expression) {
            try {
                return FactCheck.regex(expression);
            } catch (PatternSyntaxException e) {
                throw row.wrong(
                        "\"regex\" is not a valid regular expression: " + e.getDescription() + " in " + expression);
            }
        }

        private static FormatCheck form(DataRow row) {
            Object value = row.fields().get("format");
            if (value instanceof Map<?, ?> form && form.size() == 1) {
                try {
                    if (form.get("json_schema") instanceof Map<?, ?> schema) {
                        return FormatCheck.jsonSchema(JSON.valueToTree(schema).toString());
                    }
                    if (form.get("regex") instanceof String expression) {
                        return FormatCheck.regex(expression);
                    }
                    if (form.get("words") instanceof List<?> range && range.size() == 2
                            && range.get(0) instanceof Integer least && range.get(1) instanceof Integer most) {
                        return FormatCheck.words(least, most);
                    }
                } catch (ConfigurationException | PatternSyntaxException e) {
                    throw row.wrong("\"format\": " + e.getMessage());
                }
            }
            throw row.wrong("\"format\" is " + value + "; it must be {\"json_schema\": {...}}, {\"regex\": text} or "
                    + "{\"words\": [least, most]}");
        }

        private static Choices choices(DataRow row) {
            List<String> texts = texts(row, "choices");
            Object answer = row.fields().get("answer");
            int index = answer instanceof Integer number ? number : answer instanceof String text ? texts.indexOf(text)
                    : -1;
            if (texts.size() < 2 || index < 0 || index >= texts.size()) {
                throw row.wrong(
                        "\"choices\" are " + texts + " and \"answer\" is " + answer + "; there must be two texts "
                                + "or more, and the answer one of them or its index from 0");
            }
            return new Choices(texts, index);
        }
    }
}
