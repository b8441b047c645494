package io.peft4j.documents.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A table on a page: lines with cells above each other. The first line's cells are the columns; a cell below belongs to
 * the column that it overlaps most.
 */
final class PdfTable {
    /** Lines that are closer than this, in heights of a letter, may be one row. */
    private static final float CLOSE = 1.6f;

    private final List<PdfLine.Cell> columns;
    private final List<List<String>> rows = new ArrayList<>();
    private PdfLine last;

    private PdfTable(PdfLine first) {
        this.columns = first.cells();
        this.last = first;
        this.rows.add(new ArrayList<>(columns.stream().map(PdfLine.Cell::text).toList()));
    }

    /** Whether a table begins with these two lines: both have cells, and at least two stand above each other. */
    static boolean begins(PdfLine first, PdfLine second) {
        List<PdfLine.Cell> above = first.cells();
        List<PdfLine.Cell> below = second.cells();
        return first.page() == second.page() && above.size() > 1 && below.size() > 1
                && below.stream().filter(cell -> above.stream().anyMatch(other -> other.overlap(cell) > 0)).count() > 1;
    }

    /** A table with its first line. */
    static PdfTable of(PdfLine first) {
        return new PdfTable(first);
    }

    /** Adds a line, unless it does not belong to the table. */
    boolean add(PdfLine line) {
        List<PdfLine.Cell> cells = line.cells();
        boolean close = line.page() == last.page() && line.base() - last.base() < CLOSE * line.size();
        int[] places = cells.stream().mapToInt(this::column).toArray();
        boolean alone = cells.size() == 1;
        if (line.page() != last.page() && alone || alone && (!close || reachesOver(cells.get(0), places[0]))) {
            return false;
        }
        String[] row = new String[columns.size()];
        Arrays.fill(row, "");
        for (int i = 0; i < places.length; i++) {
            row[places[i]] = (row[places[i]] + " " + cells.get(i).text()).strip();
        }
        if (close && (row[0].isEmpty() || alone)) {
            List<String> above = rows.get(rows.size() - 1);
            for (int i = 0; i < row.length; i++) {
                above.set(i, (above.get(i) + " " + row[i]).strip());
            }
        } else if (!rows.get(0).equals(List.of(row))) {
            // The names of the columns are repeated on the next page.
            rows.add(new ArrayList<>(List.of(row)));
        }
        last = line;
        return true;
    }

    /** Whether a cell is a line of text that runs on below the next column. */
    private boolean reachesOver(PdfLine.Cell cell, int column) {
        return column + 1 < columns.size() && cell.right() > columns.get(column + 1).left();
    }

    private int column(PdfLine.Cell cell) {
        int best = 0;
        for (int i = 1; i < columns.size(); i++) {
            float overlap = columns.get(i).overlap(cell);
            float most = columns.get(best).overlap(cell);
            if (overlap > 0 || most > 0 ? overlap > most
                    : columns.get(i).distance(cell) < columns.get(best).distance(cell)) {
                best = i;
            }
        }
        return best;
    }

    /** The cells, row by row. */
    List<List<String>> rows() {
        return rows;
    }
}
