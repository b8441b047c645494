package io.peft4j.documents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.OpenRows;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts.FontName;
import org.apache.pdfbox.util.Matrix;
import org.apache.poi.xwpf.usermodel.XWPFDocument;
import org.apache.poi.xwpf.usermodel.XWPFTable;
import org.apache.poi.xwpf.usermodel.XWPFTableCell;
import org.apache.poi.xwpf.usermodel.XWPFTableRow;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.openxmlformats.schemas.wordprocessingml.x2006.main.STMerge;

/** Tables in a PDF have the cells that the same document has as DOCX, or are named and left out. */
class PdfTablesTest {
    private static final String BEFORE = "The shifts of the care home are planned for a month.";
    private static final String AFTER = "Whoever changes a shift tells the desk.";
    private static final List<List<Cell>> PLAIN = rows("Shift|Start|End|Allowance", "Early|6:00|14:00|none",
            "Late|14:00|21:30|12 EUR", "Night|21:30|6:30|38 EUR");

    private static final List<List<Cell>> LONG = rows("Shift|Where to begin and what to bring along|Allowance a shift",
            "Early|At the front desk of the north wing, with the keys of the day before|none at all on any day",
            "Night|At the gate|38 EUR, and 12 EUR more on public holidays and on Sundays");
    private static final List<List<Cell>> WEEK = rows("Mon|Tue|Wed|Thu|Fri|Sat|Sun",
            "6:00|6:00|6:00|6:00|6:00|8:00|8:00", "14:00|14:00|14:00|14:00|14:00|15:30|15:30",
            "21:30|21:30|21:30|21:30|21:30|22:00|22:00");
    private static final List<List<Cell>> ROOMS = rows(Stream.concat(Stream.of("Room|Beds|Phone"), IntStream.range(1,
            60).mapToObj(n -> "Room " + n + "|" + n % 4 + "|4" + (n + 200))).toArray(String[]::new));
    private static final List<List<Cell>> GRADES = rows("Grade|Pay per month", "Nurse|3,400 EUR", "Helper|2,650 EUR");

    @TempDir
    private Path folder;

    /** A cell; one without a text belongs to the one above it. */
    private record Cell(String text, int columns) {
        boolean isBelow() {
            return text.equals("^");
        }
    }

    /** Cells of one letter {@code <} widen the one before. */
    private static List<List<Cell>> rows(String... lines) {
        return Stream.of(lines).map(line -> {
            List<Cell> row = new ArrayList<>();
            for (String text : line.split("\\|", -1)) {
                if (text.equals("<")) {
                    Cell wide = row.remove(row.size() - 1);
                    row.add(new Cell(wide.text(), wide.columns() + 1));
                } else {
                    row.add(new Cell(text, 1));
                }
            }
            return row;
        }).toList();
    }

    /** Which lines divide the cells of a table. */
    private enum Lines {
        NONE, BETWEEN_COLUMNS, ALL
    }

    /** A document with its tables, and whether lines divide their cells. */
    private record Layout(String name, boolean ruled, List<List<List<Cell>>> tables) {
        @SafeVarargs
        static Layout of(String name, boolean ruled, List<List<Cell>>... tables) {
            return new Layout(name, ruled, List.of(tables));
        }

        @Override
        public String toString() {
            return name + (ruled ? "" : " without lines");
        }
    }

    private static List<Layout> layouts() {
        List<Layout> all = new ArrayList<>();
        all.add(Layout.of("PLAIN", true, PLAIN));
        all.add(Layout.of("PLAIN", false, PLAIN));
        all.add(Layout.of("ROW_SPANS", true, rows("Shift|Day|Start|Allowance", "Early|Monday|6:00|none",
                "^|Tuesday|6:30|^", "^|Friday|7:00|5 EUR", "Night|Monday|21:30|38 EUR", "^|Tuesday|21:00|^")));
        all.add(Layout.of("COLUMN_SPANS", true, rows("Shift|Start|End|Allowance", "Early|6:00|14:00|none",
                "Weekend|by agreement|<|20 EUR", "Night|21:30|6:30|38 EUR", "On call|at home, see the plan|<|<")));
        all.add(Layout.of("COLUMN_SPANS", false, rows("Shift|Start|End|Allowance", "Early|6:00|14:00|none",
                "Weekend|by some agreement|<|20 EUR", "Night|21:30|6:30|38 EUR")));
        all.add(Layout.of("HEADER_OF_TWO_ROWS", true, rows("Shift|Times|<|Allowance", "^|Start|End|^",
                "Early|6:00|14:00|none", "Night|21:30|6:30|38 EUR")));
        all.add(Layout.of("OVER_A_PAGE_BREAK", true, ROOMS));
        all.add(Layout.of("OVER_A_PAGE_BREAK", false, ROOMS));
        all.add(Layout.of("LANDSCAPE", true, PLAIN));
        for (boolean ruled : new boolean[] {true, false}) {
            all.add(Layout.of("MULTI_LINE_CELLS", ruled, LONG));
            all.add(Layout.of("NARROW_COLUMNS", ruled, WEEK));
            all.add(Layout.of("SIDEWAYS", ruled, PLAIN));
            all.add(Layout.of("TWO_ON_A_PAGE", ruled, PLAIN, GRADES));
        }
        all.add(Layout.of("BESIDE_TEXT", true, PLAIN));
        return all;
    }

    private String read(Path file) {
        List<String> answers = new ArrayList<>();
        try (OpenRows rows = OpenRows.open(DataFile.of(file))) {
            rows.forEach(row -> answers.add((String) row.fields().get("answer")));
        }
        return String.join("\n\n", answers);
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void aTableHasTheCellsThatItHasInDocx(Layout layout) throws IOException {
        Path docx = folder.resolve("h.docx");
        Path pdf = folder.resolve("h.pdf");
        writeDocx(layout, docx);
        try (PdfWriter writer = new PdfWriter(layout.name(), layout.ruled() ? Lines.ALL : Lines.NONE,
                layout.tables())) {
            writer.write(pdf);
        }
        String expected = read(docx);
        assertTrue(expected.contains(": "), expected);
        assertEquals(expected, read(pdf));
    }

    /** Without lines it is not known which rows a cell is for, or with few lines where a row ends. */
    @ParameterizedTest
    @CsvSource({"NONE, rows", "BETWEEN_COLUMNS, rows"})
    void aTableThatCannotBeReadSurelyIsNamedWithItsPageAndLeftOut(Lines lines, String doubt) throws IOException {
        Path pdf = folder.resolve("h.pdf");
        try (PdfWriter writer = new PdfWriter("UNSURE", lines, List.of(lines == Lines.NONE ? rows(
                "Shift|Day|Start|Allowance", "Early|Monday|6:00|none", "^|Tuesday|6:30|^", "Night|Monday|21:30|38 EUR")
                : PLAIN))) {
            writer.write(pdf);
        }
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(log));
        try {
            assertEquals(BEFORE + "\n\n" + AFTER, read(pdf));
        } finally {
            System.setErr(before);
        }
        assertTrue(log.toString().contains("h.pdf: page 1: a table's " + doubt + " could not be read; its text is left "
                + "out"), log.toString());
    }

    private static void writeDocx(Layout layout, Path file) throws IOException {
        try (XWPFDocument document = new XWPFDocument(); OutputStream out = Files.newOutputStream(file)) {
            document.createParagraph().createRun().setText(BEFORE);
            for (List<List<Cell>> cells : layout.tables()) {
                XWPFTable table = document.createTable(cells.size(), 1);
                for (int r = 0; r < cells.size(); r++) {
                    XWPFTableRow row = table.getRow(r);
                    for (int c = 0; c < cells.get(r).size(); c++) {
                        Cell told = cells.get(r).get(c);
                        XWPFTableCell cell = c == 0 ? row.getCell(0) : row.addNewTableCell();
                        cell.setText(told.isBelow() ? "" : told.text());
                        cell.getCTTc().addNewTcPr().addNewVMerge().setVal(told.isBelow() ? STMerge.CONTINUE
                                : STMerge.RESTART);
                        if (told.columns() > 1) {
                            cell.getCTTc().getTcPr().addNewGridSpan().setVal(
                                    java.math.BigInteger.valueOf(told.columns()));
                        }
                    }
                }
                document.createParagraph();
            }
            document.createParagraph().createRun().setText(AFTER);
            document.write(out);
        }
    }

    /** Draws a document with PDFBox. */
    private static final class PdfWriter implements AutoCloseable {
        private static final PDType1Font FONT = new PDType1Font(FontName.HELVETICA);
        private static final float SIZE = 10;
        private static final float LINE = 12;
        private static final float LEFT = 60;

        private final String layout;
        private final Lines lines;
        private final List<List<List<Cell>>> tables;
        private final PDDocument document = new PDDocument();
        private final float pad;
        private PDPageContentStream out;
        private float y;
        private float bottom;

        PdfWriter(String layout, Lines lines, List<List<List<Cell>>> tables) {
            this.layout = layout;
            this.lines = lines;
            this.tables = tables;
            pad = layout.startsWith("NARROW") && lines == Lines.ALL ? 1 : 5;
        }

        private void page() throws IOException {
            close(out);
            boolean landscape = layout.startsWith("LANDSCAPE");
            PDPage page = new PDPage(PDRectangle.A4);
            document.addPage(page);
            out = new PDPageContentStream(document, page);
            float width = PDRectangle.A4.getWidth();
            if (landscape || layout.startsWith("SIDEWAYS")) {
                // What is drawn sideways is upright where the page is turned.
                page.setRotation(landscape ? 90 : 0);
                out.transform(new Matrix(0, 1, -1, 0, width, 0));
                y = width - 60;
            } else {
                y = PDRectangle.A4.getHeight() - 60;
            }
            bottom = 60;
        }

        private static void close(PDPageContentStream stream) throws IOException {
            if (stream != null) {
                stream.close();
            }
        }

        void write(Path file) throws IOException {
            page();
            text(BEFORE, LEFT, y);
            y -= 3 * LINE;
            for (List<List<Cell>> table : tables) {
                if (layout.equals("BESIDE_TEXT")) {
                    text(AFTER, LEFT + 300, y - 20);
                }
                table(table);
                y -= 2 * LINE;
            }
            if (!layout.equals("BESIDE_TEXT")) {
                text(AFTER, LEFT, y);
            }
            close(out);
            out = null;
            document.save(file.toFile());
        }

        private void text(String text, float x, float base) throws IOException {
            out.beginText();
            out.setFont(FONT, SIZE);
            out.newLineAtOffset(x, base);
            out.showText(text);
            out.endText();
        }

        private static float width(String text) throws IOException {
            return FONT.getStringWidth(text) / 1000 * SIZE;
        }

        private static List<String> wrapped(String text, float width) throws IOException {
            List<String> lines = new ArrayList<>();
            String line = "";
            for (String word : text.split(" ")) {
                String longer = line.isEmpty() ? word : line + " " + word;
                if (width(longer) > width && !line.isEmpty()) {
                    lines.add(line);
                    longer = word;
                }
                line = longer;
            }
            lines.add(line);
            return lines;
        }

        private void table(List<List<Cell>> rows) throws IOException {
            int columns = rows.get(0).stream().mapToInt(Cell::columns).sum();
            float[] widths = new float[columns];
            for (List<Cell> row : rows) {
                int c = 0;
                for (Cell cell : row) {
                    float most = cell.columns() > 1 ? 0 : Math.min(110, width(cell.text()));
                    widths[c] = Math.max(widths[c], most + 2 * pad);
                    c += cell.columns();
                }
            }
            for (int r = 0; r < rows.size(); r++) {
                float height = height(rows.get(r), widths);
                if (y - height < bottom) {
                    page();
                    row(rows, 0, widths, height(rows.get(0), widths));
                }
                row(rows, r, widths, height);
            }
        }

        private float height(List<Cell> row, float[] widths) throws IOException {
            int most = 1;
            int c = 0;
            for (Cell cell : row) {
                most = cell.isBelow() ? most : Math.max(most, wrapped(cell.text(), sum(widths, c, cell.columns())
                        - 2 * pad).size());
                c += cell.columns();
            }
            return most * LINE + (lines == Lines.NONE ? 8 : 6);
        }

        private static float sum(float[] widths, int from, int count) {
            return (float) IntStream.range(from, from + count).mapToDouble(c -> widths[c]).sum();
        }

        /** A cell over several rows has its text in their middle, as many programs set it. */
        private void row(List<List<Cell>> rows, int r, float[] widths, float height) throws IOException {
            float x = LEFT;
            int c = 0;
            for (Cell cell : rows.get(r)) {
                float width = sum(widths, c, cell.columns());
                int over = 1;
                while (!cell.isBelow() && r + over < rows.size() && isBelow(rows.get(r + over), c)) {
                    over++;
                }
                float middle = (over - 1) * height / 2;
                int line = 0;
                for (String text : cell.isBelow() ? List.<String>of() : wrapped(cell.text(), width - 2 * pad)) {
                    text(text, x + pad, y - middle - LINE * ++line + 1);
                }
                // Few lines: around the names, and between the columns.
                int drawn = lines == Lines.ALL ? over : r == 0 ? 1 : r == 1 ? rows.size() - 1 : 0;
                if (lines != Lines.NONE && drawn > 0 && !cell.isBelow()) {
                    out.addRect(x, y - drawn * height, width, drawn * height);
                    out.stroke();
                }
                x += width;
                c += cell.columns();
            }
            y -= height;
        }

        private static boolean isBelow(List<Cell> row, int column) {
            int c = 0;
            for (Cell cell : row) {
                if (c == column) {
                    return cell.isBelow();
                }
                c += cell.columns();
            }
            return false;
        }

        @Override
        public void close() throws IOException {
            close(out);
            document.close();
        }
    }
}
