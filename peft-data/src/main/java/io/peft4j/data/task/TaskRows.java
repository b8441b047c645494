package io.peft4j.data.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * Reads examples for models with a head and for encoder-decoders from files of any type ({@link OpenRows}). Other keys
 * are ignored. Each method throws a {@link DataException} with file and line of the first row that is wrong, or without
 * one if there is no such row, and {@link java.io.UncheckedIOException} when the file cannot be read.
 */
public final class TaskRows {
    private static final String SOFT = "label_probabilities";

    private TaskRows() {
    }

    /**
     * Texts with labels: {@code {"text": "...", "label": "billing"}}, with {@code "text_pair"} where two are judged
     * together. A label is a name, its number, or a list of them; of a regression a number. In its place
     * {@code "label_probabilities"}, a list in the order of the labels' numbers or an object by their names, says how
     * likely each is the right one. Conversations are read, too: the last message of the user is the text, its answer
     * the label.
     */
    public static List<LabelledText> texts(Path file) {
        return RowKind.TEXTS.read(DataFile.of(file));
    }

    static LabelledText labelled(DataRow row) {
        Optional<LabelledText> chat = asked(row);
        if (chat.isPresent()) {
            return chat.get();
        }
        String text = content(row, "text");
        Optional<String> second = row.fields().containsKey("text_pair") ? Optional.of(text(row, "text_pair"))
                : Optional.empty();
        if (row.fields().containsKey(SOFT)) {
            Map<String, Double> soft = soft(row);
            try {
                return new LabelledText(text, second, List.copyOf(soft.keySet()), List.copyOf(soft.values()));
            } catch (ConfigurationException e) {
                throw row.wrong("\"" + SOFT + "\": " + e.getMessage());
            }
        }
        return new LabelledText(text, second, row.fields().get("label") instanceof List<?> ? list(row, "label")
                : List.of(label(row, "label", row.fields().get("label"))));
    }

    /** The text and the label of a conversation whose last message answers one of the user. */
    static Optional<LabelledText> asked(DataRow row) {
        if (row.fields().containsKey("text") || DataFormat.of(row.fields()).filter(List.of(DataFormat.EVALUATION,
                DataFormat.PREFERENCE)::contains).isPresent()) {
            return Optional.empty();
        }
        List<ChatMessage> turns = ExampleReader.example(row).flatMap(Example::toChat).map(ChatExample::messages)
                .orElse(List.of());
        int last = turns.size() - 1;
        return last < 1 || !turns.get(last).role().equals("assistant") || turns.get(last).content().isBlank()
                || !turns.get(last - 1).role().equals("user") ? Optional.empty()
                        : Optional.of(LabelledText.of(turns.get(last - 1).content(), turns.get(last).content()
                                .strip()));
    }

    private static Map<String, Double> soft(DataRow row) {
        Map<String, Double> soft = new LinkedHashMap<>();
        Object given = row.fields().get(SOFT);
        if (given instanceof List<?> list) {
            list.forEach(p -> soft.put(String.valueOf(soft.size()), probability(row, p)));
        } else if (given instanceof Map<?, ?> map) {
            map.forEach((name, p) -> soft.put((String) name, probability(row, p)));
        }
        if (soft.size() < 2) {
            throw row.wrong("\"" + SOFT + "\" must be a list or an object with a probability for each label");
        }
        return soft;
    }

    private static double probability(DataRow row, Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        throw row.wrong("\"" + SOFT + "\" holds " + value + ", which is no number");
    }

    /** Words with a label each: {@code {"tokens": [...], "labels": [...]}}; labels are names or numbers. */
    public static List<LabelledWords> words(Path file) {
        return RowKind.WORDS.read(DataFile.of(file));
    }

    static LabelledWords words(DataRow row) {
        List<String> words = list(row, "tokens");
        List<String> labels = list(row, "labels");
        if (words.isEmpty() || words.size() != labels.size()) {
            throw row.wrong("has " + words.size() + " tokens and " + labels.size() + " labels; each token needs one");
        }
        return new LabelledWords(words, labels);
    }

    static List<SpanQuestion> questions(OpenRows file) {
        boolean[] answered = new boolean[1];
        List<SpanQuestion> questions = read(file, "\"question\", \"context\" and \"answers\"", row -> {
            answered[0] |= row.fields().containsKey("answers") || row.fields().containsKey("answer");
            return question(row);
        });
        // A table leaves out the key where a question has no answer, so that one row alone may be without.
        if (!answered[0]) {
            throw new DataException(file.file().path(),
                    "no row has \"answers\" or \"answer\"; if a text does not answer its "
                            + "question, write \"answer\": \"\"");
        }
        return questions;
    }

    /**
     * Texts that belong together: {@code {"anchor": "...", "positive": "..."}}, or {@code "query"} for the first, with
     * {@code "negative"}, a text, or {@code "negatives"}, a list, or without.
     */
    public static List<TextPair> pairs(Path file) {
        return RowKind.PAIRS.read(DataFile.of(file));
    }

    static TextPair pair(DataRow row) {
        List<String> negatives = new ArrayList<>();
        for (String key : List.of("negative", "negatives")) {
            if (row.fields().get(key) instanceof List<?> list) {
                list.forEach(text -> {
                    if (!(text instanceof String negative) || negative.isBlank()) {
                        throw row.wrong("\"" + key + "\" holds " + text + "; expected texts that are not empty");
                    }
                    negatives.add(negative);
                });
            } else if (row.fields().containsKey(key)) {
                negatives.add(content(row, key));
            }
        }
        String positive = content(row, "positive");
        if (negatives.contains(positive)) {
            throw row.wrong("has its \"positive\" among the negatives, too: " + positive);
        }
        return new TextPair(content(row, row.fields().containsKey("query") ? "query" : "anchor"), positive, negatives);
    }

    /**
     * A text that is not empty: empty ones all have the same vector, so that there is nothing to bring near or to keep
     * apart, and an empty target teaches to write nothing.
     */
    private static String content(DataRow row, String key) {
        String text = text(row, key);
        if (text.isBlank()) {
            throw row.wrong("\"" + key + "\" is empty");
        }
        return text;
    }

    static SourceTarget source(DataRow row) {
        return new SourceTarget(text(row, "source"), content(row, "target"), TaskIds.of(row.fields()));
    }

    /** Texts alone: {@code {"text": "..."}}. */
    public static List<String> plain(Path file) {
        return plain(DataFile.of(file));
    }

    /** As {@link #plain(Path)}, of a file with its format, names of columns or encoding given. */
    public static List<String> plain(DataFile file) {
        try (OpenRows rows = OpenRows.open(file)) {
            return read(rows, "\"text\"", row -> text(row, "text"));
        }
    }

    /** Reads rows, none of which may name a task. */
    static <T> List<T> read(OpenRows file, String expected, Function<DataRow, T> reader) {
        return file.list("one JSON object with " + expected, row -> reader.apply(withoutTask(row)));
    }

    /** Refuses a row that names a task of an adapter, which would be ignored. */
    static DataRow withoutTask(DataRow row) {
        if (TaskIds.of(row.fields()) >= 0) {
            throw row.wrong("has a \"" + TaskIds.KEY + "\", but rows of this kind are all computed as the adapter's "
                    + "own task, which its configuration names; remove the key");
        }
        return row;
    }

    static String text(DataRow row, String key) {
        if (!(row.fields().get(key) instanceof String text)) {
            throw row.fields().containsKey(key) ? row.wrong("\"" + key + "\" is not a string") : row.missing(key);
        }
        return text;
    }

    private static String scalar(DataRow row, String key, Object value) {
        if (value instanceof String || value instanceof Number || value instanceof Boolean) {
            return value.toString();
        }
        throw row.wrong("\"" + key + "\" is " + (value == null ? "missing" : value) + "; expected a name or a number");
    }

    /** A cell without a label would become a class of its own. */
    private static String label(DataRow row, String key, Object value) {
        String label = scalar(row, key, value);
        if (label.isBlank()) {
            throw row.wrong("\"" + key + "\" is empty; expected a name or a number");
        }
        return label;
    }

    static List<String> list(DataRow row, String key) {
        if (!(row.fields().get(key) instanceof List<?> list)) {
            throw row.fields().containsKey(key) ? row.wrong("\"" + key + "\" is not a list; use JSON Lines or "
                    + "Parquet, since tables have no lists") : row.missing(key);
        }
        return list.stream().map(value -> key.equals("tokens") ? scalar(row, key, value) : label(row, key, value))
                .toList();
    }

    private static SpanQuestion question(DataRow row) {
        String context = text(row, "context");
        Object answers = row.fields().get("answers");
        Object answer = row.fields().get("answer");
        Object start = row.fields().get("start");
        List<String> right = new ArrayList<>();
        if (answers instanceof List<?> list && (list.isEmpty() || list.get(0) instanceof Map<?, ?>)) {
            list.forEach(each -> right.addAll(each instanceof Map<?, ?> map ? texts(map.get("text")) : List.of()));
            answers = list.isEmpty() ? Map.of() : list.get(0);
        }
        if (answers instanceof Map<?, ?> squad) {
            answer = first(squad.get("text"));
            right.addAll(right.isEmpty() ? texts(squad.get("text")) : List.of());
            start = first(squad.get("answer_start"));
        } else if (answers != null && !answers.equals("")) {
            throw row.wrong("has the \"answers\" " + answers + "; expected {\"text\": [...], \"answer_start\": [...]}, "
                    + "or in a table \"answer\" and \"start\"");
        }
        if (answer == null || answer.equals("")) {
            return new SpanQuestion(text(row, "question"), context, OptionalInt.empty(), "");
        }
        if (start instanceof String digits && digits.matches("\\d{1,9}")) {
            // Tables hold texts alone.
            start = Integer.valueOf(digits);
        }
        if (!(answer instanceof String text) || !(start instanceof Integer place) || place < 0
                || place > context.codePointCount(0, context.length())) {
            throw row.wrong("has the answer " + answer + " at " + start + "; expected a string and the index of "
                    + "its first character in \"context\"");
        }
        int from = context.offsetByCodePoints(0, place);
        if (!context.startsWith(text, from)) {
            throw row.wrong("says that the answer '" + text + "' begins at " + place + " of \"context\", where '"
                    + context.substring(from, Math.min(context.length(), from + text.length())) + "' is");
        }
        return new SpanQuestion(text(row, "question"), context, OptionalInt.of(from), text,
                right.isEmpty() ? List.of(text) : right);
    }

    private static List<String> texts(Object value) {
        return (value instanceof List<?> several ? several : List.of(value == null ? "" : value)).stream()
                .filter(String.class::isInstance).map(String.class::cast).filter(text -> !text.isEmpty()).distinct()
                .toList();
    }

    /** The first of a list, or the value that stands for itself. */
    private static Object first(Object value) {
        return !(value instanceof List<?> values) ? value : values.isEmpty() ? null : values.get(0);
    }
}
