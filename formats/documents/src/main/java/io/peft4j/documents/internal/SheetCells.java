package io.peft4j.documents.internal;

import io.peft4j.core.error.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.poi.ss.util.CellReference;
import org.apache.poi.xssf.eventusermodel.XSSFSheetXMLHandler;
import org.apache.poi.xssf.usermodel.XSSFComment;

/** Gathers the rows of a sheet that are not empty. */
final class SheetCells implements XSSFSheetXMLHandler.SheetContentsHandler {
    /** Excel has no more. */
    private static final int MOST_COLUMNS = 16_384;
    private static final int MOST_CELLS = 4_000_000;

    private final Path file;
    private int count;
    private final List<Row> rows = new ArrayList<>();
    private List<String> cells = new ArrayList<>();

    /**
     * A row.
     *
     * @param number as Excel shows it
     * @param cells up to the last one that is not empty
     */
    record Row(long number, List<String> cells) {
        String cell(int column) {
            return column < cells.size() ? cells.get(column) : "";
        }

        long filled() {
            return cells.stream().filter(cell -> !cell.isBlank()).count();
        }
    }

    SheetCells(Path file) {
        this.file = file;
    }

    @Override
    public void startRow(int number) {
        cells = new ArrayList<>();
    }

    @Override
    public void endRow(int number) {
        if (cells.stream().anyMatch(cell -> !cell.isBlank())) {
            rows.add(new Row(number + 1L, List.copyOf(cells)));
            count += cells.size();
            if (count > MOST_CELLS) {
                throw new DataException(file, number + 1L, "is behind more than " + MOST_CELLS / 1_000_000
                        + " million cells, the limit for a sheet; save it as CSV");
            }
        }
    }

    @Override
    public void cell(String reference, String value, XSSFComment comment) {
        int column = reference == null ? cells.size() : new CellReference(reference).getCol();
        if (value == null || value.isBlank() || column < 0 || column >= MOST_COLUMNS) {
            return;
        }
        while (cells.size() <= column) {
            cells.add("");
        }
        cells.set(column, value);
    }

    /** The number of the last row that is not empty. */
    long last() {
        return rows.isEmpty() ? 0 : rows.get(rows.size() - 1).number();
    }

    List<Row> rows() {
        return rows;
    }
}
