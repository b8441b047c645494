package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.Origin;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;

/**
 * A row of a file, whatever type the file is of: an object as JSON has it, and what is wrong with it. Where no object
 * can be read, its place is taken by a row without fields and with a fatal fault.
 *
 * @param file its file
 * @param line its line, from 1; in a file without lines the number of the row
 * @param fields the object; belongs to the receiver, who may change it
 * @param faults what is wrong with it, as far as it has been read
 * @param unknownKeys keys of its messages that the chat format does not have, as far as it has been read
 * @param lines of a document the lines of the parts of its text ({@link Origin#lines})
 */
public record DataRow(Path file, long line, Map<String, Object> fields, @Internal List<RowFault> faults,
        Set<String> unknownKeys, @Internal NavigableMap<Integer, Long> lines) {
    private static final String SYSTEM = "system";

    /** A row in which nothing is known to be wrong. */
    public DataRow(Path file, long line, Map<String, Object> fields) {
        this(file, line, fields, Collections.emptyNavigableMap());
    }

    /** The same of a document. */
    DataRow(Path file, long line, Map<String, Object> fields, NavigableMap<Integer, Long> lines) {
        this(file, line, fields, new ArrayList<>(), new LinkedHashSet<>(), lines);
    }

    /**
     * The replacement of a row that cannot be read.
     *
     * @param code what is wrong, a code of {@code peft4j data check}
     * @param e where and how
     */
    public static DataRow broken(String code, DataException e) {
        return broken(new RowFault(code, true, e.column(), e.problem()), e);
    }

    /** The same where no row behind it can be read. */
    static DataRow last(String code, DataException e) {
        return broken(new RowFault(code, true, e.column(), e.problem() + "; the rest was not read", true), e);
    }

    private static DataRow broken(RowFault fault, DataException e) {
        DataRow row = new DataRow(e.file(), e.line(), Map.of());
        row.faults.add(fault);
        return row;
    }

    /** Whether it cannot be used, as far as it has been read. */
    public boolean isWrong() {
        return faults.stream().anyMatch(RowFault::fatal);
    }

    /** The first fatal fault as an exception that names file, line and column. */
    public DataException exception() {
        RowFault fault = faults.stream().filter(RowFault::fatal).findFirst().orElseThrow();
        return wrong(fault.column(), fault.message());
    }

    /** An exception that names the row's place. */
    public DataException wrong(String message) {
        return wrong(0, message);
    }

    private DataException wrong(long column, String message) {
        return new DataException(file, line, column, message + Place.of(fields).map(place -> " (" + place + ")")
                .orElse(""), null);
    }

    /**
     * An exception for a row without the keys that are needed: it lists those that the row has, and says which
     * {@code --column} would make them fit.
     *
     * @param problem what is wrong, such as {@code has none of [prompt, question]}
     * @param forms the keys that each of the possible forms needs
     */
    public DataException lacks(String problem, List<List<String>> forms) {
        return wrong(problem + advice(forms));
    }

    /** The same for one key, which several forms may have. */
    public DataException missing(String key) {
        return lacks("\"" + key + "\" is missing", ColumnNames.formsWith(key));
    }

    /** What to say of the keys of a row that lacks others. */
    String advice(List<List<String>> forms) {
        return ", only " + String.join(", ", fields.keySet()) + ColumnNames.advice(fields.keySet(), forms)
                .map(names -> "; columns can be renamed: " + names)
                .orElse("; columns can be renamed: COLUMN=" + forms.get(0).get(0));
    }

    /** Notes that the row cannot be used. */
    void fatal(String code, String message) {
        faults.add(new RowFault(code, true, 0, message));
    }

    /** Notes something odd about a row that can be used. */
    void odd(String code, String message) {
        faults.add(new RowFault(code, false, 0, message));
    }

    /** The same place with other fields, in which nothing is known to be wrong. */
    DataRow with(Map<String, Object> others) {
        return new DataRow(file, line, others, lines);
    }

    Origin origin() {
        return new Origin(file.toString(), line, lines);
    }

    /** The keys that are among {@code known}, in the order of {@code known}. */
    public List<String> present(List<String> known) {
        return known.stream().filter(fields::containsKey).toList();
    }

    /**
     * The only one of some keys that it has.
     *
     * @param known the keys
     * @param forms as {@link #lacks} takes them
     * @throws DataException when it has none or several
     */
    public String one(List<String> known, List<List<String>> forms) {
        List<String> present = present(known);
        if (present.isEmpty()) {
            throw lacks("has none of " + known, forms);
        }
        if (present.size() > 1) {
            throw wrong("has " + present + " together; use one of them");
        }
        return present.get(0);
    }

    /** The fields without those that the format knows. */
    Map<String, Object> extra(String... known) {
        Map<String, Object> extra = new LinkedHashMap<>(fields);
        List.of(known).forEach(extra::remove);
        return extra;
    }

    /** The text under a key; a fault where it is missing or not a text, and where it must not be blank but is. */
    Optional<String> text(String key, boolean mayBeBlank) {
        if (!(fields.get(key) instanceof String text)) {
            fatal("missing_content", "\"" + key + "\" is " + (fields.containsKey(key) ? "not a text"
                    : "missing" + advice(ColumnNames.formsWith(key))));
            return Optional.empty();
        }
        if (text.isBlank() && !mayBeBlank) {
            fatal("missing_content", "\"" + key + "\" is empty");
            return Optional.empty();
        }
        return isWhole(text, "\"" + key + "\"") ? Optional.of(text) : Optional.empty();
    }

    /** The system message of a row that has a key for it; empty where it is blank or no text. */
    List<ChatMessage> system() {
        return fields.get(SYSTEM) instanceof String text && !text.isBlank() && isWhole(text, "\"" + SYSTEM + "\"")
                ? List.of(ChatMessage.system(text)) : List.of();
    }

    /** Whether a text has no half of a surrogate pair, which JSON can spell, but no character is, nor UTF-8 has. */
    boolean isWhole(String text, String where) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                    fatal("wrong_encoding", where + String.format(" contains \\u%04x, half of a surrogate pair",
                            (int) text.charAt(i)));
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /** The characters of all texts in a value as JSON has it, keys among them. */
    public static long characters(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream().mapToLong(entry -> characters(entry.getKey()) + characters(entry.getValue()))
                    .sum();
        }
        return value instanceof List<?> list ? list.stream().mapToLong(DataRow::characters).sum()
                : value instanceof String text ? text.length() : 1;
    }

    /** A changeable copy of a JSON object. */
    public static Map<String, Object> object(Map<?, ?> map) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put((String) key, value));
        return copy;
    }
}
