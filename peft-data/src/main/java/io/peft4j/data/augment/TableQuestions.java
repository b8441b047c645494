package io.peft4j.data.augment;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.HandbookTable;
import io.peft4j.data.format.Place;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.data.near.QuestionText;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Questions for the tables of a handbook, by rule: for each cell behind the first of its row one that names its column
 * and its row, {@code What is the allowance of the night shift?}. A row is named by its first cells, by so many that no
 * other row of the table has the same, and where another table asks the same, the heading is named, too. What was
 * written carries {@link Augmentation#MARK} {@code "rule"}.
 */
final class TableQuestions {
    /** What English names of columns that a row has, as it has a price, end with; others are asked for otherwise. */
    private static final Set<String> ATTRIBUTES = RuleWords.of("english.attributes");
    private static final Pattern NAME = Pattern.compile("(?i)names?|nom|nombre|nome|naam");

    private final String language;
    private final List<String> words;
    /** What the handbook writes with a small letter. */
    private final Set<String> small = new HashSet<>();
    private final Set<String> seen = new HashSet<>();
    private final List<ChatExample> rows = new ArrayList<>();
    private final List<PassageRows.Unasked> unasked = new ArrayList<>();
    private int told;

    private TableQuestions(List<ChatExample> all) {
        String text = all.stream().map(row -> answer(row) + "\n" + row.extra().getOrDefault("heading", ""))
                .collect(Collectors.joining("\n"));
        language = QuestionLanguage.of(text).orElse(QuestionLanguage.ENGLISH);
        words = RuleWords.forms(language + ".table");
        small.addAll(List.of(text.split("[^\\p{L}]+")));
        all.forEach(row -> seen.add(QuestionText.key(row.messages().get(0).content())));
    }

    private static String answer(ChatExample row) {
        return row.messages().get(row.messages().size() - 1).content();
    }

    /**
     * Rows with questions for tables behind those that they were made of. A row for people to fill in keeps the text
     * beside tables.
     */
    static PassageRows of(List<ChatExample> all) {
        TableQuestions questions = new TableQuestions(all);
        all.forEach(questions::add);
        return new PassageRows(questions.rows, questions.unasked, questions.told);
    }

    private void add(ChatExample row) {
        List<String> texts = new ArrayList<>();
        List<ChatExample> asked = new ArrayList<>();
        int at = 0;
        for (String block : answer(row).split("\n\n")) {
            List<List<HandbookTable.Field>> table = HandbookTable.read(block);
            int line = at;
            for (List<HandbookTable.Field> fields : table) {
                ask(row, line, table, fields, asked);
                line = answer(row).indexOf('\n', line) + 1;
            }
            if (table.isEmpty()) {
                texts.add(block);
                told += HandbookFact.of(block, PassageQuestions.language(answer(row), language)).size();
            }
            at += block.length() + "\n\n".length();
        }
        if (UnfilledRows.unfilled(row).isEmpty()) {
            rows.add(row);
        } else if (!texts.isEmpty()) {
            rows.add(withText(row, texts));
        }
        rows.addAll(asked);
    }

    /** The text beside tables, whose parts keep their lines. */
    private static ChatExample withText(ChatExample row, List<String> texts) {
        TreeMap<Integer, Long> lines = new TreeMap<>();
        String text = answer(row);
        int to = 0;
        int from = 0;
        for (String block : texts) {
            from = text.indexOf(block, from);
            int shift = to - from;
            if (!row.origin().lines().isEmpty()) {
                lines.put(to, row.origin().of(from).line());
                row.origin().lines().subMap(from, from + block.length())
                        .forEach((place, line) -> lines.put(place + shift,
                                line));
            }
            to += block.length() + "\n\n".length();
            from += block.length();
        }
        return new ChatExample(List.of(row.messages().get(0), ChatMessage.assistant(String.join("\n\n", texts))), List
                .of(), row.extra(), new Origin(row.origin().file(), row.origin().line(), lines));
    }

    private void ask(ChatExample row, int at, List<List<HandbookTable.Field>> table, List<HandbookTable.Field> fields,
            List<ChatExample> asked) {
        told++;
        int key = 1;
        while (key < fields.size() && isShared(table, fields.subList(0, key))) {
            key++;
        }
        String of = fields.subList(0, key).stream().map(this::named).collect(Collectors.joining(", "));
        int before = asked.size();
        for (HandbookTable.Field field : fields.subList(key, fields.size())) {
            // Names of columns are nouns, which German alone writes with a capital letter.
            boolean english = language.equals(QuestionLanguage.ENGLISH);
            // Nouns in place of words that carry no topic, with which two questions would be one.
            String column = RuleWords.of("all.nouns").stream().filter(word -> word.startsWith(field.name().toLowerCase(
                    Locale.ROOT) + "=")).map(word -> word.replaceFirst(".*=", "")).findFirst().orElse(field.name());
            String lowered = lowered(column, !language.equals(QuestionLanguage.GERMAN));
            boolean plain = !english || !field.text().matches("(?i)yes|no|x|\\W") && ATTRIBUTES
                    .contains(lowered.replaceFirst("\\s*(\\(| per | in | of | for | at ).*", "")
                            .replaceFirst(".*\\s", "")
                            .toLowerCase(Locale.ROOT));
            String name = plain ? lowered : column;
            List<String> asking = RuleWords.forms((!plain ? "other" : english && name.matches(".*[^suia]s") ? "several"
                    : language) + ".table");
            Optional<String> question = Stream.of("", " (" + row.extra().get("heading") + ")").map(heading -> String
                    .format(Locale.ROOT, asking.get(0), name, of + heading)).filter(text -> seen.add(
                            QuestionText.key(
                                    text)))
                    .findFirst();
            Map<String, Object> extra = new LinkedHashMap<>(row.extra());
            extra.put(Augmentation.MARK, "rule");
            question.ifPresent(text -> asked.add(with(row, at, text, String.format(Locale.ROOT, asking.get(1), name, of,
                    field.text().replaceFirst("\\.$", "")), extra)));
        }
        if (asked.size() == before) {
            unasked.add(PassageRows.Unasked.of(row, at, fields.stream().map(HandbookTable.Field::toString)
                    .collect(Collectors.joining("; ")), "no cell of this row differs from another row's", false));
        }
    }

    /** Whether two rows of a table begin with the same cells. */
    private static boolean isShared(List<List<HandbookTable.Field>> table, List<HandbookTable.Field> key) {
        return table.stream().filter(other -> other.size() >= key.size() && other.subList(0, key.size()).equals(key))
                .count() > 1;
    }

    private String named(HandbookTable.Field field) {
        String text = lowered(field.text(), false);
        boolean plain = field.name().isEmpty() || NAME.matcher(field.name()).matches()
                || text.toLowerCase(Locale.ROOT).contains(field.name().toLowerCase(Locale.ROOT));
        return plain ? text : String.format(Locale.ROOT, words.get(2), lowered(field.name(), !language.equals(
                QuestionLanguage.GERMAN)), text);
    }

    /** With a small letter where that is no abbreviation, and a common noun or a word that the handbook has so. */
    private String lowered(String text, boolean noun) {
        String first = text.split("[^\\p{L}]", 2)[0];
        String lower = first.toLowerCase(Locale.ROOT);
        return first.length() > 1 && first.substring(1).equals(lower.substring(1))
                && (noun || small.contains(lower) && !text.matches(
                        "\\S+ \\p{Lu}.*")) ? lower + text.substring(first.length()) : text;
    }

    /** A row of a part of another one, which begins at a place of its text. */
    static ChatExample with(ChatExample row, int at, String question, String answer, Map<String, Object> extra) {
        Origin origin = row.origin().of(at);
        return new ChatExample(List.of(ChatMessage.user(question), ChatMessage.assistant(answer)), List.of(),
                row.origin()
                        .lines().isEmpty() ? extra : Place.at(extra, origin.line()),
                origin);
    }
}
