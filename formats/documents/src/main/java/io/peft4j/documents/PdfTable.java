package io.peft4j.documents;

import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.HandbookTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A table: each place with the cell that covers it. One of which it is not sure which words belong together is not read
 * at all, since rows with the cells of others would be learned as facts.
 *
 * @param page where it begins
 * @param columns where its columns begin, from the left of the page
 * @param grid its places, row by row
 * @param doubt what could not be read, its rows or its columns; empty where all is sure
 */
record PdfTable(int page, List<Float> columns, List<List<HandbookTable.Cell>> grid, Optional<String> doubt) {
    static final String ROWS = "rows";
    static final String COLUMNS = "columns";
    /** Of the places where the columns of two pages begin. */
    private static final float SAME = 3;
    /** A space between words at most, in heights of a letter. */
    private static final float SPACE = 0.4f;

    /** Whether the table of another page has the columns of this one, which ends at a page before. */
    boolean goesOnAs(PdfTable next, int end) {
        return next.page == end + 1 && next.columns.size() == columns.size() && IntStream.range(0, columns.size())
                .allMatch(c -> Math.abs(next.columns.get(c) - columns.get(c)) < SAME);
    }

    /** This table with the rows of another one, but for the names of the columns that it repeats. */
    PdfTable with(PdfTable next) {
        int same = 0;
        while (same < Math.min(grid.size(), next.grid.size()) && texts(grid.get(same)).equals(texts(next.grid.get(
                same)))) {
            same++;
        }
        List<List<HandbookTable.Cell>> all = new ArrayList<>(grid);
        all.addAll(next.grid.subList(same, next.grid.size()));
        return new PdfTable(page, columns, all, doubt.or(next::doubt));
    }

    private static List<String> texts(List<HandbookTable.Cell> row) {
        return row.stream().map(HandbookTable.Cell::text).toList();
    }

    /** Whether a line of a cell ends where the first word of the next one has no room before its end. */
    static boolean isFull(List<PdfLine.Word> line, PdfLine.Word next, float end) {
        PdfLine.Word last = line.get(line.size() - 1);
        return last.right() + SPACE / 2 * last.size() + next.right() - next.left() > end;
    }

    /** Reads tables without lines between their cells, by the spaces between these. */
    static final class Spaces {
        /** Lines that are closer than this, in heights of a letter, may be one row. */
        private static final float CLOSE = 1.6f;
        private static final float CLOSER = 0.85f;
        private static final float APART = 1.5f;
        private static final float MARGIN = 1;
        /** Steps for a line, and for a place of a table. */
        private static final int LINE = 32;
        private static final int PLACE = 64;

        /** The next row begins within so much. */
        private static final float NEXT_ROW = 2.4f;

        private final List<PdfLine> lines;
        private final float right;
        private final HandbookSections sections;
        private final List<PdfLine.Cell> columns = new ArrayList<>();
        private final List<List<Part>> rows = new ArrayList<>();
        private Optional<String> doubt = Optional.empty();

        /** What a row says in some columns, and its last line there. */
        private static final class Part {
            private final int from;
            private final int to;
            private List<PdfLine.Word> line;
            private String text;

            Part(int from, int to, List<PdfLine.Word> line) {
                this.from = from;
                this.to = to;
                this.line = line;
                this.text = PdfLine.text(line);
            }
        }

        /**
         * Tables in some lines.
         *
         * @param right where the lines of the document end
         * @param sections count the words that are looked at
         */
        Spaces(List<PdfLine> lines, float right, HandbookSections sections) {
            this.sections = sections;
            this.lines = lines;
            this.right = right;
        }

        private List<PdfLine.Cell> cells(int at) {
            sections.step(LINE + 4L * lines.get(at).words().size());
            return lines.get(at).cells(right);
        }

        /** Whether a table begins: two lines of it have cells, and at least two of them stand above each other. */
        boolean begins(int at) {
            int next = at + 1;
            while (next < lines.size() && isText(next) && isClose(next, CLOSE) && cells(next).size() == 1
                    && over(at, cells(next).get(0)) == 1) {
                next++;
            }
            return next < lines.size() && isText(at) && isText(next) && lines.get(at).page() == lines.get(next).page()
                    && cells(at).size() > 1 && cells(next).stream().filter(cell -> over(at, cell) > 0).count() > 1;
        }

        private boolean isText(int at) {
            return lines.get(at).table().isEmpty();
        }

        /** How many cells of a line a cell reaches over. */
        private long over(int at, PdfLine.Cell cell) {
            return cells(at).stream().filter(other -> other.overlap(cell) > 0).count();
        }

        /** Behind the last line of the table that begins with a line. */
        int end(int from) {
            int end = from + 1;
            while (end < lines.size() && isText(end) && belongs(from, end)) {
                end++;
            }
            return end;
        }

        /** A line with one cell may be a part of a row, or, where it reaches over others, the text below the table. */
        private boolean belongs(int from, int at) {
            if (cells(at).size() > 1) {
                return at == from + 1 || lines.get(at).page() != lines.get(at - 1).page() || isClose(at, NEXT_ROW)
                        || pitch(at) < APART * IntStream.range(from + 1, at).mapToDouble(this::pitch).max().orElse(0);
            }
            PdfLine.Cell cell = cells(at).get(0);
            boolean over = IntStream.range(from, at).anyMatch(above -> over(above, cell) > 1);
            return isClose(at, CLOSE) && (!over || at + 1 < lines.size() && isText(at + 1) && isClose(at + 1, NEXT_ROW)
                    && cells(at + 1).size() > 1);
        }

        private boolean isClose(int at, float most) {
            return lines.get(at).page() == lines.get(at - 1).page() && pitch(at) < most * lines.get(at).size();
        }

        private double pitch(int at) {
            return lines.get(at).base() - lines.get(at - 1).base();
        }

        /** The table of all lines. */
        PdfTable read() {
            gatherColumns();
            for (int at = 0; at < lines.size() && doubt.isEmpty(); at++) {
                add(at);
            }
            return new PdfTable(lines.get(0).page(), columns.stream().map(PdfLine.Cell::left).toList(), grid(), doubt);
        }

        /** The lines with the most cells have one in each column. */
        private void gatherColumns() {
            List<List<PdfLine.Cell>> all = IntStream.range(0, lines.size()).mapToObj(this::cells).toList();
            int most = all.stream().mapToInt(List::size).max().orElse(0);
            for (int c = 0; c < most; c++) {
                int column = c;
                List<PdfLine.Cell> cells = all.stream().filter(line -> line.size() == most)
                        .map(line -> line.get(column)).toList();
                columns.add(new PdfLine.Cell(List.of(), (float) cells.stream().mapToDouble(PdfLine.Cell::left).min()
                        .orElse(0), (float) cells.stream().mapToDouble(PdfLine.Cell::right).max().orElse(0)));
                if (c > 0 && columns.get(c).overlap(columns.get(c - 1)) > 0) {
                    doubt = Optional.of(COLUMNS);
                }
            }
        }

        private void add(int at) {
            List<Part> parts = new ArrayList<>();
            cells(at).forEach(cell -> parts.addAll(parts(cell)));
            boolean goesOn = at > 0 && isClose(at, CLOSE) && goesOn(parts, at);
            if (goesOn) {
                parts.forEach(part -> {
                    Part above = above(part).orElseThrow();
                    above.text += " " + part.text;
                    above.line = part.line;
                });
            } else if (at > 0 && parts.stream().noneMatch(part -> part.from == 0)) {
                // This text belongs to the row above, or to several rows.
                doubt = doubt.or(() -> Optional.of(ROWS));
            } else if (rows.isEmpty() || !texts(rows.get(0)).equals(texts(parts))) {
                // The names of the columns may be repeated on the next page.
                rows.add(parts);
            }
        }

        private static List<String> texts(List<Part> parts) {
            return parts.stream().map(part -> part.from + part.text).toList();
        }

        private Optional<Part> above(Part part) {
            return rows.get(rows.size() - 1).stream().filter(other -> other.from <= part.from && other.to >= part.to)
                    .findFirst();
        }

        /** Whether each cell of a line continues the cell above it, which had no room for its word. */
        private boolean goesOn(List<Part> parts, int at) {
            sections.step(lines.size());
            boolean closer = pitch(at) < CLOSER * IntStream.range(1, lines.size()).mapToDouble(this::pitch).max()
                    .orElse(0);
            return (closer || parts.size() < columns.size()) && parts.stream().allMatch(part -> above(part)
                    .filter(above -> isFull(above.line, part.line.get(0), end(above))).isPresent());
        }

        private float end(Part part) {
            return part.to == columns.size() ? right : columns.get(part.to).left() - MARGIN * part.line.get(0).size();
        }

        /** What a cell says in its column; in several where words stand apart, or one reaches from one to the next. */
        private List<Part> parts(PdfLine.Cell cell) {
            List<PdfLine.Word> words = cell.words();
            int[] first = words.stream().mapToInt(word -> column(word.left(), word.right(), true)).toArray();
            int[] last = words.stream().mapToInt(word -> column(word.left(), word.right(), false)).toArray();
            int from = first[0];
            int to = last[words.size() - 1];
            boolean reaches = IntStream.range(0, words.size()).anyMatch(i -> first[i] < last[i]);
            if (reaches || from == to) {
                return List.of(new Part(from, to + 1, words));
            }
            List<Part> parts = new ArrayList<>();
            int begun = 0;
            for (int i = 1; i <= words.size(); i++) {
                if (i == words.size() || first[i] != first[begun]) {
                    parts.add(new Part(first[begun], first[begun] + 1, words.subList(begun, i)));
                    begun = i;
                    if (i < words.size() && words.get(i).left() - words.get(i - 1).right() < SPACE * words.get(i)
                            .size()) {
                        doubt = Optional.of(COLUMNS);
                    }
                }
            }
            return parts;
        }

        /** The first or the last column that reaches there, or else the nearest one. */
        private int column(float left, float end, boolean first) {
            PdfLine.Cell place = new PdfLine.Cell(List.of(), left, end);
            sections.step(columns.size());
            int[] over = IntStream.range(0, columns.size()).filter(c -> columns.get(c).overlap(place) > 0).toArray();
            return over.length > 0 ? over[first ? 0 : over.length - 1] : IntStream.range(0, columns.size()).boxed()
                    .min((a, b) -> Float.compare(columns.get(b).overlap(place), columns.get(a).overlap(place)))
                    .orElse(0);
        }

        private List<List<HandbookTable.Cell>> grid() {
            return rows.stream().map(parts -> {
                sections.step(PLACE * columns.size());
                List<HandbookTable.Cell> row = new ArrayList<>(Collections.nCopies(columns.size(),
                        new HandbookTable.Cell("")));
                parts.forEach(part -> Collections.fill(row.subList(part.from, part.to), new HandbookTable.Cell(
                        part.text)));
                return row;
            }).toList();
        }
    }
}
