package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gathers the text of a handbook, from its beginning to its end, and makes the rows of it: one for each heading that
 * has text or tables below it, which are the answer. A heading that is a question is the question of the row; of others
 * a skeleton is made for people to fill ({@link UnfilledRows}). A table becomes a line of text for each row,
 * {@code Grade: Trainee; Notice: 14 days}.
 */
@Internal(shared = true)
public final class HandbookSections {
    /** The field of a row with the headings above it, which rows of documents have and no others. */
    public static final String HEADING = "heading";
    private static final int LARGEST = 64 << 20;
    /** Some ten seconds, and as much memory as a server can spare. */
    private static final long MOST_STEPS = 1L << 29;
    private static final long PIECE = 1 << 20;
    /** No letters of any text. */
    private static final Pattern MARK = Pattern.compile("\ufdd0(\\d+)\ufdd1");

    private final Path file;
    private final Runnable look;
    private final List<DataRow> entries = new ArrayList<>();
    private final TreeMap<Integer, String> headings = new TreeMap<>();
    private final StringBuilder text = new StringBuilder();
    private final TreeMap<Integer, Long> lines = new TreeMap<>();
    private final Map<String, Object> place = new LinkedHashMap<>();
    private Map<String, Object> begun = Map.of();
    private long line = 1;
    private long characters;
    private long steps;
    private long looked;

    /** Those of a file, nothing of which has been read. */
    public HandbookSections(DataFile file) {
        this.file = file.path();
        this.look = file.look();
    }

    /**
     * Counts what reading takes: what a file makes can grow faster than itself. Looks now and then whether it is still
     * wanted.
     *
     * @param count steps: 1 for a word that is looked at, more for what stays in memory
     * @throws DataException when a file takes more than is spent on one
     */
    public void step(long count) {
        steps += count;
        if (steps > MOST_STEPS) {
            throw new DataException(file, line, "is too intricate to be read: it would take more than "
                    + (MOST_STEPS >> 20) + " million steps; divide it into several files");
        }
        if (steps - looked > PIECE) {
            looked = steps;
            look.run();
        }
    }

    /**
     * What follows is at this place; the rows carry it under this name.
     *
     * @param name such as {@code page} or {@code sheet}
     */
    public void place(String name, Object value) {
        place.put(name, value);
    }

    /**
     * A heading begins.
     *
     * @param level from 1; those of its level and below end
     * @param title its text
     * @param at the line, or what the file has in place of lines
     */
    public void heading(int level, String title, long at) {
        end();
        headings.tailMap(level, true).clear();
        if (!title.isBlank()) {
            headings.put(level, title.strip());
        }
        begin(at);
    }

    private void begin(long at) {
        line = at;
        begun = Map.copyOf(place);
    }

    /**
     * What is put into a text where another line of the file begins, or what the file has in place of lines.
     *
     * @param at the line
     */
    public static String mark(long at) {
        return "\ufdd0" + at + "\ufdd1";
    }

    /**
     * A paragraph, a list item or another piece of text, in which lines may be marked ({@link #mark}).
     *
     * @param at where it begins
     * @throws DataException when the handbook is too long
     */
    public void text(String block, long at) {
        Matcher marks = MARK.matcher(block);
        String plain = marks.replaceAll("");
        if (plain.isBlank()) {
            return;
        }
        if (text.length() == 0 && headings.isEmpty()) {
            begin(at);
        }
        text.append(text.length() == 0 ? "" : "\n\n");
        int begin = text.length() - (plain.length() - plain.stripLeading().length());
        lines.put(text.length(), at);
        int marked = 0;
        marks.reset();
        while (marks.find()) {
            lines.put(Math.max(text.length(), begin + marks.start() - marked), Long.valueOf(marks.group(1)));
            marked += marks.end() - marks.start();
        }
        text.append(plain.strip());
        characters += plain.length();
        requireLength(file, at, characters);
    }

    /** Refuses a section that has grown beyond what is read of one. */
    public static void requireLength(Path file, long line, long characters) {
        if (characters > LARGEST) {
            throw new DataException(file, line, "is longer than " + (LARGEST >> 20) + " million characters, the limit "
                    + "for a handbook");
        }
    }

    /** The error of a document whose parts lie within each other without end. */
    DataException tooDeep(int most) {
        return new DataException(file, line, "has elements that are nested more than " + most + " deep");
    }

    /** A table: a line of text for each of its rows. */
    public void table(HandbookTable table, long at) {
        StringBuilder lines = new StringBuilder();
        table.title().ifPresent(title -> text(title, at));
        for (String line : table.lines()) {
            lines.append(line).append('\n');
            requireLength(file, at, characters + lines.length());
        }
        text(lines.toString(), at);
    }

    /** A row in place of what cannot be read: a code of {@code peft4j data check}, and where and how. */
    public void wrong(String code, DataException e) {
        add(DataRow.broken(code, e));
    }

    /** A row of its own, as a document may have beside its text. */
    public void add(DataRow entry) {
        end();
        entries.add(entry);
    }

    private void end() {
        if (text.length() > 0) {
            String about = headings.isEmpty() ? "the beginning" : String.join(", ", headings.values());
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("question", Optional.ofNullable(headings.lastEntry()).map(Map.Entry::getValue)
                    .flatMap(HeadingQuestion::of).orElse(UnfilledRows.question(about)));
            fields.put("answer", text.toString());
            fields.put(HEADING, String.join(" > ", headings.values()));
            fields.putAll(begun);
            entries.add(new DataRow(file, line, fields, new TreeMap<>(lines)));
        }
        text.setLength(0);
        lines.clear();
    }

    /** The rows of everything gathered. */
    public RowSource rows() {
        end();
        return of(entries);
    }

    /** Rows that are in memory. */
    public static RowSource of(List<DataRow> entries) {
        Iterator<DataRow> left = List.copyOf(entries).iterator();
        return new RowSource() {
            @Override
            public Optional<DataRow> next() {
                return left.hasNext() ? Optional.of(left.next()) : Optional.empty();
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
    }

    /** The heading of a section as a question, where it is one. */
    private static final class HeadingQuestion {
        private static final Pattern NUMBER = Pattern.compile("^(?:\\d+(?:\\.\\d+)*[.)]?|[A-Z]\\.|\u00a7\\s*\\d+"
                + "|[Qq](?:\\d+)?[:.)])\\s+");
        private static final Pattern HOW_TO = Pattern.compile("(?i)^how to (\\p{L}.+)$");

        private HeadingQuestion() {
        }

        /** {@code How do I report it?} is one, without the number before it; {@code How to report it} becomes one. */
        static Optional<String> of(String title) {
            String text = NUMBER.matcher(title.strip()).replaceFirst("").strip();
            if (text.length() > 1 && (text.endsWith("?") || text.endsWith("\uff1f"))) {
                return Optional.of(text);
            }
            Matcher howTo = HOW_TO.matcher(text);
            return howTo.matches() ? Optional.of("How do I " + howTo.group(1) + "?") : Optional.empty();
        }
    }
}
