package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A table of a handbook, in which cells may span rows and columns. Its first row names the columns if there is another
 * one; the next one, too, where it divides columns that are named together. What spans rows holds for each of
 * them, what spans columns is said once for all: {@code Shift: Night; Start, End: by agreement}.
 */
@Internal(shared = true)
public final class HandbookTable {
    private static final Cell NONE = new Cell("");
    private static final String NEXT = "; ";
    private static final String NAMED = ": ";

    private final List<List<Cell>> grid;
    private final int columns;
    private final Optional<String> title;
    private final int head;

    /** A cell, which is the same object at each place that it covers. */
    public static final class Cell {
        private final String text;
        private final long line;

        /** A cell with a text, in which line breaks are spaces. */
        public Cell(String text) {
            this(text, 0);
        }

        /** The same with its line; 0 for that of its table. */
        public Cell(String text, long line) {
            this.text = text.strip().replaceAll("\\s+", " ");
            this.line = line;
        }

        /** What it says; empty where nothing. */
        public String text() {
            return text;
        }

        boolean isBlank() {
            return text.isEmpty();
        }
    }

    /**
     * A value of a row.
     *
     * @param name of its column, or of several; empty where it has none
     * @param text what the cell says
     */
    public record Field(String name, String text) {
        @Override
        public String toString() {
            return name.isEmpty() ? text : name + NAMED + text;
        }
    }

    /** A table of rows, each with the cell that covers each of its places; rows may be of several lengths. */
    public HandbookTable(List<List<Cell>> places) {
        columns = places.stream().mapToInt(List::size).max().orElse(0);
        List<List<Cell>> rows = places.stream().filter(row -> row.stream().anyMatch(cell -> !cell.isBlank()))
                .map(row -> IntStream.range(0, columns).mapToObj(c -> c < row.size() ? row.get(c) : NONE).toList())
                .toList();
        boolean titled = rows.size() > 2 && columns > 1 && rows.get(0).stream().distinct().count() == 1;
        title = titled ? Optional.of(rows.get(0).get(0).text) : Optional.empty();
        grid = spread(rows.subList(titled ? 1 : 0, rows.size()));
        int named = grid.size() > 1 ? 1 : 0;
        while (named > 0 && named + 1 < grid.size() && dividesNames(grid.get(named - 1), grid.get(named))) {
            named++;
        }
        head = named;
    }

    /** In tables without spans names over several columns have blanks beside them, and parts of their names below. */
    private List<List<Cell>> spread(List<List<Cell>> rows) {
        List<Integer> blank = rows.size() < 3 ? List.of() : IntStream.range(1, columns).filter(c -> rows.get(0).get(c)
                .isBlank()).boxed().toList();
        boolean parts = !blank.isEmpty() && rows.get(1).get(0).isBlank() && IntStream.range(1, columns).allMatch(
                c -> rows.get(1).get(c).isBlank() != (blank.contains(c) || blank.contains(c + 1)));
        if (!parts) {
            return rows;
        }
        List<Cell> names = new ArrayList<>(rows.get(0));
        blank.forEach(c -> names.set(c, names.get(c - 1)));
        return Stream.concat(Stream.of(names), rows.stream().skip(1)).toList();
    }

    /** Whether a row names what the one above it names together, and says nothing below its other names. */
    private boolean dividesNames(List<Cell> above, List<Cell> row) {
        boolean divides = false;
        for (int c = 0; c < columns; c++) {
            int column = c;
            boolean same = row.get(c) == above.get(c) && !row.get(c).isBlank();
            boolean together = !above.get(c).isBlank() && IntStream.range(0, columns)
                    .anyMatch(other -> other != column && above.get(other) == above.get(column));
            if (!same && !together && !above.get(c).isBlank() && !row.get(c).isBlank()) {
                return false;
            }
            divides |= same || together;
        }
        return divides;
    }

    /** The text of its first row if that is one cell over all columns. */
    Optional<String> title() {
        return title;
    }

    /** A line of text for each row below the names, with its place in the file where that is known. */
    List<String> lines() {
        return grid.stream().skip(head).map(row -> mark(row) + fields(row).stream().map(Field::toString)
                .collect(Collectors.joining(NEXT))).toList();
    }

    /** A cell that covers several rows has the line of the first. */
    private static String mark(List<Cell> row) {
        long line = row.stream().mapToLong(cell -> cell.line).max().orElse(0);
        return line > 0 ? HandbookSections.mark(line) : "";
    }

    private List<Field> fields(List<Cell> row) {
        List<Field> fields = new ArrayList<>();
        int from = 0;
        while (from < columns) {
            Cell cell = row.get(from);
            int to = from + 1;
            while (to < columns && row.get(to) == cell && !cell.isBlank()) {
                to++;
            }
            if (!cell.isBlank()) {
                boolean all = to - from == columns && columns > 1;
                fields.add(new Field(all ? "" : IntStream.range(from, to).mapToObj(this::name).distinct()
                        .filter(name -> !name.isEmpty()).collect(Collectors.joining(", ")), cell.text));
            }
            from = to;
        }
        return fields;
    }

    private String name(int column) {
        return grid.subList(0, head).stream().map(row -> row.get(column)).distinct().map(cell -> cell.text.replaceFirst(
                ":$", "")).filter(name -> !name.isEmpty()).collect(Collectors.joining(" "));
    }

    /** The rows of a table that is a block in the text of a section; empty where the block is none. */
    public static List<List<Field>> read(String block) {
        List<List<Field>> rows = block.lines().map(line -> Stream.of(line.split(NEXT)).map(part -> {
            int name = part.indexOf(NAMED);
            return name < 0 ? new Field("", part) : new Field(part.substring(0, name), part.substring(name
                    + NAMED.length()));
        }).toList()).toList();
        boolean table = 2 * rows.stream().filter(row -> row.size() > 1).count() >= rows.size() && rows.stream()
                .allMatch(row -> row.stream().skip(1)
                        .noneMatch(field -> field.name().isEmpty() || field.name().contains(". ")));
        return table ? rows : List.of();
    }
}
