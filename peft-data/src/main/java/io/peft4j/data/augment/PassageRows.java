package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.core.error.Count;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.Place;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What became of a handbook: each of its sentences is the answer of a row, or one of those that have no question.
 *
 * @param rows those with a question of their own, those that a rule or a model asked for, and those to fill in
 * @param unasked the sentences, and rows of tables, that got no question
 * @param statements how many sentences and rows of tables there are
 */
@Internal(shared = true)
public record PassageRows(List<ChatExample> rows, List<Unasked> unasked, int statements) {
    private static final int SHOWN = 5;
    private static final int LONGEST = 40;

    /** Copies the lists. */
    public PassageRows {
        rows = List.copyOf(rows);
        unasked = List.copyOf(unasked);
    }

    /** The counts as programs read them: {@code statements}, {@code with_question} and {@code without_question}. */
    public Map<String, Object> counts() {
        return new TreeMap<>(Map.of("statements", statements, "with_question", statements - unasked.size(),
                "without_question", unasked.stream().map(Unasked::fields).toList()));
    }

    /** How many statements have a question, and the first of the others with their places. */
    public String summary() {
        boolean several = unasked.stream().map(one -> one.origin().file()).distinct().count() > 1;
        return statements - unasked.size() + " of " + Count.of(statements, "statement")
                + (statements == 1 ? " has" : " have") + " a question" + (unasked.isEmpty() ? "" : "; without one: ")
                + unasked.stream().limit(SHOWN).map(one -> (several ? Path.of(one.origin().file()).getFileName() + ", "
                        : "") + (one.place().isEmpty() ? "line " + one.origin().line() : one.place()) + " '"
                        + one.sentence().replaceFirst("(?s)^(.{1," + LONGEST + "})\\s.*", "$1 ...") + "'")
                        .collect(Collectors.joining(", "))
                + (unasked.size() > SHOWN ? " and " + (unasked.size() - SHOWN) + " more" : "");
    }

    /**
     * A sentence that got no question.
     *
     * @param origin where it begins
     * @param place the page, the paragraph or the sheet; empty where there are none
     * @param heading the heading above it
     * @param sentence the sentence
     * @param reason why there is none
     * @param toFillIn whether there is a row for people to fill in; else it tells nothing that can be asked for
     */
    public record Unasked(Origin origin, String place, String heading, String sentence, String reason,
            boolean toFillIn) {
        static Unasked of(ChatExample row, int at, String sentence, String reason, boolean toFillIn) {
            Origin origin = row.origin().of(at);
            return new Unasked(origin, Place.of(row.origin().lines().isEmpty() ? row.extra() : Place.at(row.extra(),
                    origin.line())).orElse(""), row.extra().get("heading") instanceof String title ? title : "",
                    sentence, reason, toFillIn);
        }

        private Map<String, Object> fields() {
            Map<String, Object> fields = new LinkedHashMap<>(Map.of("line", origin.line()));
            fields.put("place", place);
            fields.put("heading", heading);
            fields.put("text", sentence);
            fields.put("reason", reason);
            fields.put("to_fill_in", toFillIn);
            return fields;
        }
    }
}
