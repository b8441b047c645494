package io.peft4j.documents;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.HandbookTable;
import io.peft4j.data.format.RowSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.poi.openxml4j.exceptions.OpenXML4JException;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.ss.usermodel.DataFormatter;
import org.apache.poi.ss.usermodel.DateUtil;
import org.apache.poi.ss.util.CellReference;
import org.apache.poi.util.XMLHelper;
import org.apache.poi.xssf.eventusermodel.ReadOnlySharedStringsTable;
import org.apache.poi.xssf.eventusermodel.XSSFReader;
import org.apache.poi.xssf.eventusermodel.XSSFSheetXMLHandler;
import org.apache.poi.xssf.usermodel.XSSFComment;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.XMLReader;

/**
 * Spreadsheets in XLSX: where the columns are those of a format, a row for each row as in CSV, else a handbook whose
 * headings are the names of the sheets. Where columns are given names, only the sheets with some of them are read, as
 * tables. Rows name their {@code sheet}.
 */
public final class ExcelFiles implements FileType {
    @Override
    public String ending() {
        return ".xlsx";
    }

    @Override
    public RowSource open(DataFile file) {
        return Documents.read(file, (path, sections) -> new ExcelSheets(file, sections).read());
    }

    /** The sheets of a spreadsheet, read one after the other. */
    private static final class ExcelSheets {
        private final DataFile file;
        private final HandbookSections sections;
        private boolean hasTable;
        /** Rows of the sheets before, which makes the numbers of lines differ. */
        private long before;

        ExcelSheets(DataFile file, HandbookSections sections) {
            this.file = file;
            this.sections = sections;
        }

        /** The rows of all sheets. */
        RowSource read() throws IOException {
            try (OPCPackage container = OfficePackages.open(file.path())) {
                XSSFReader reader = new XSSFReader(container);
                ReadOnlySharedStringsTable texts = new ReadOnlySharedStringsTable(container);
                XSSFReader.SheetIterator sheets = (XSSFReader.SheetIterator) reader.getSheetsData();
                while (sheets.hasNext()) {
                    try (InputStream in = sheets.next()) {
                        SheetCells cells = new SheetCells(file.path());
                        XMLReader xml = XMLHelper.newXMLReader();
                        xml.setContentHandler(new XSSFSheetXMLHandler(reader.getStylesTable(), null, texts, cells,
                                new CellTexts(), false));
                        xml.parse(new InputSource(in));
                        add(sheets.getSheetName(), cells.rows());
                        before += cells.last();
                    }
                }
            } catch (OpenXML4JException | SAXException | ParserConfigurationException e) {
                throw new IOException(e.getMessage(), e);
            }
            if (!hasTable && !file.columns().isEmpty()) {
                sections.wrong("unknown_column", new DataException(file.path(), 1, "no sheet has a column "
                        + file.columns().keySet() + ", which is to be renamed"));
            }
            return sections.rows();
        }

        private void add(String sheet, List<SheetCells.Row> rows) {
            if (rows.isEmpty()) {
                return;
            }
            // A title may stand above the names of the columns.
            int head = 0;
            while (head + 1 < rows.size() && rows.get(head).filled() < Math.min(2, rows.get(head + 1).filled())) {
                head++;
            }
            SheetCells.Row names = rows.get(head);
            if (file.isTableOfExamples(names.cells())) {
                hasTable = true;
                rows.subList(head + 1, rows.size()).forEach(row -> sections.add(example(sheet, names, row)));
                return;
            }
            if (!file.columns().isEmpty()) {
                return;
            }
            sections.place("sheet", sheet);
            sections.heading(1, sheet, before + rows.get(0).number());
            rows.subList(0, head).forEach(row -> sections.text(String.join(" ", row.cells()), before + row.number()));
            sections.table(new HandbookTable(rows.subList(head, rows.size()).stream().map(row -> row.cells().stream()
                    .map(cell -> new HandbookTable.Cell(cell, before + row.number())).toList()).toList()),
                    before + names.number());
        }

        private DataRow example(String sheet, SheetCells.Row head, SheetCells.Row row) {
            Map<String, Object> fields = new LinkedHashMap<>();
            for (int i = 0; i < Math.max(head.cells().size(), row.cells().size()); i++) {
                String name = head.cell(i).strip();
                if (name.isEmpty() ? !row.cell(i).isBlank() : fields.containsKey(name)) {
                    return DataRow.broken("invalid_document",
                            new DataException(file.path(), before + row.number(),
                                    name.isEmpty()
                                            ? "sheet '" + sheet + "' has a cell in column " + (i + 1)
                                                    + ", which has no name"
                                            : "sheet '" + sheet + "' names a column twice: '" + name + "'"));
                }
                if (!name.isEmpty()) {
                    fields.put(name, row.cell(i));
                }
            }
            fields.putIfAbsent("sheet", sheet);
            fields.putIfAbsent("row", (int) row.number());
            return new DataRow(file.path(), before + row.number(), fields);
        }

        /** Cells as they are shown, whatever the machine's language is; dates and times in ISO 8601. */
        private static final class CellTexts extends DataFormatter {
            CellTexts() {
                super(Locale.ROOT);
            }

            @Override
            public String formatRawCellContents(double value, int index, String format, boolean since1904) {
                if (!DateUtil.isADateFormat(index, format) || !DateUtil.isValidExcelDate(value)) {
                    return super.formatRawCellContents(value, index, format, since1904);
                }
                LocalDateTime time = DateUtil.getLocalDateTime(value, since1904);
                return value < 1 ? time.toLocalTime().toString() : time.toLocalTime().equals(LocalTime.MIDNIGHT)
                        ? time.toLocalDate().toString() : time.toString();
            }
        }

        /** Gathers the rows of a sheet that are not empty. */
        private static final class SheetCells implements XSSFSheetXMLHandler.SheetContentsHandler {
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
    }
}
