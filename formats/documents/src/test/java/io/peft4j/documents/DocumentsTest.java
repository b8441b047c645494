package io.peft4j.documents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.Finding;
import io.peft4j.data.report.FindingCode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.common.PDStream;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.apache.poi.xssf.usermodel.XSSFRow;
import org.apache.poi.xssf.usermodel.XSSFSheet;
import org.apache.poi.xssf.usermodel.XSSFWorkbook;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Documents of several programs become the rows of the handbook, or of the table, in them. */
class DocumentsTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final String LEAVE = "Every employee has 27 days of leave a year. Requests go to the Shore Captain "
            + "at least 14 days before the first day off, so that the rota can be planned in time.\n\n"
            + "Up to 5 days may be carried over until 31 March.";
    private static final String PAY = "Grade: Deckhand; Pay per month: 2,150 EUR; Notice period: 30 days\n"
            + "Grade: First Mate; Pay per month: 3,400 EUR; Notice period: 60 days\n"
            + "Grade: Captain; Pay per month: 4,980 EUR; Notice period: 90 days";
    private static final String BOATS = "Boats are back at the pier before 19:45. Whoever is late calls the harbour "
            + "master.";

    @TempDir
    private Path folder;

    private static List<DataRow> rows(DataFile file) {
        List<DataRow> rows = new ArrayList<>();
        try (OpenRows open = OpenRows.open(file)) {
            open.forEach(rows::add);
        }
        return rows;
    }

    private static List<DataRow> rows(String name) {
        return rows(DataFile.of(FIXTURES.resolve(name)));
    }

    private static List<Object> all(List<DataRow> rows, String key) {
        return rows.stream().map(row -> row.fields().get(key)).toList();
    }

    @ParameterizedTest
    @CsvSource({"handbook.pdf, '1,2,3,4'", "typeset.pdf, '1,1,2,2'", "handbook.docx, '2,5,8,11'"})
    void aHandbookIsCutAtItsHeadingsAndItsTablesAreKept(String file, String lines) {
        List<DataRow> rows = rows(file);
        assertEquals(List.of(LEAVE, "Pay depends on the grade.\n\n" + PAY), all(rows, "answer").subList(0, 2));
        String items = (String) rows.get(2).fields().get("answer");
        assertTrue(items.matches("\\S? ?Call the duty phone before 8:30.\n\n\\S? ?Send the certificate within 3 days."),
                items);
        assertEquals(BOATS, rows.get(3).fields().get("answer"));
        assertEquals(4, rows.size(), rows.toString());
        assertEquals("How do I report sick leave?", rows.get(2).fields().get("question"));
        String boats = (String) rows.get(3).fields().get("question");
        assertEquals("[fill in: a question about Harbour Handbook, Boats]", boats);
        assertEquals(lines, String.join(",", rows.stream().map(row -> String.valueOf(row.line())).toList()));
        if (file.endsWith(".pdf")) {
            assertEquals(Arrays.stream(lines.split(",")).map(Integer::valueOf).toList(), all(rows, "page"));
        }
    }

    @Test
    void pagesInTwoColumnsAreReadColumnByColumn() {
        String text = rows("columns.pdf").stream().map(row -> (String) row.fields().get("answer")).reduce("",
                (a, b) -> a + " " + b).replaceAll("\\s+", " ").strip();
        assertEquals(IntStream.rangeClosed(1, 40).mapToObj(n -> "The keys of boat " + n + " hang at hook " + (n + 50)
                + " behind the counter.").collect(Collectors.joining(" ")), text);
    }

    @Test
    void sheetsOfAHandbookAreItsSections() {
        List<DataRow> rows = rows("handbook.xlsx");
        assertEquals(List.of("Pay by grade\n\n" + PAY, "What: Carried over until; When: 2027-03-31; Share: 50%\n"
                + "What: Boats are back before; When: 19:45; Share: 12"), all(rows, "answer"));
        assertEquals(List.of("Pay", "Dates"), all(rows, "sheet"));
        assertEquals(List.of("Pay", "Dates"), all(rows, "heading"));
    }

    @Test
    void aTableOfQuestionsHasARowForEachRow() {
        DataFile file = DataFile.of(FIXTURES.resolve("questions.xlsx"))
                .withColumns(Map.of("Frage", "question", "Antwort", "answer"));
        List<DataRow> rows = rows(file);
        assertEquals(List.of("Wie viele Tage Urlaub habe ich?", "Wer hat den Schl\u00fcssel?"), all(rows, "question"));
        assertEquals(List.of("27 Tage.", "Der Hafenmeister."), all(rows, "answer"));
        assertEquals(List.of("Fragen", "Mehr"), all(rows, "sheet"));
        assertEquals(List.of(2, 3), all(rows, "row"));
        assertEquals(List.of(2L, 5L), rows.stream().map(DataRow::line).toList());
        Finding unnamed = DataCheck.of(FIXTURES.resolve("questions.xlsx")).run().findings().get(0);
        assertTrue(unnamed.message().contains("Frage=question, Antwort=answer"), unnamed.message());
    }

    /** A workbook of sheets, each a name and rows of cells. */
    private Path workbook(Object[]... sheets) throws IOException {
        Path file = folder.resolve("book.xlsx");
        try (XSSFWorkbook book = new XSSFWorkbook(); OutputStream out = Files.newOutputStream(file)) {
            for (Object[] sheet : sheets) {
                XSSFSheet made = book.createSheet((String) sheet[0]);
                for (int i = 1; i < sheet.length; i++) {
                    String[] cells = ((String) sheet[i]).split(";");
                    XSSFRow row = made.createRow(i - 1);
                    for (int k = 0; k < cells.length; k++) {
                        row.createCell(k).setCellValue(cells[k]);
                    }
                }
            }
            book.write(out);
        }
        return file;
    }

    private static TableColumns found(Path file) {
        return TableColumns.of(DataFile.of(file), TableColumns.EXAMPLES);
    }

    @Test
    void aWorkbookIsTheTableOfTheSheetThatFits() throws IOException {
        Path file = workbook(new Object[] {"Notes", "Read me first.", "Ask Ann."},
                new Object[] {"FAQ", "Nr;Kundenfrage;Unsere Antwort", "1;Wer hat Dienst?;Der Hafenmeister hat ihn."});
        TableColumns columns = found(file);
        assertEquals("columns: Kundenfrage is the question, Unsere Antwort the answer; others left out: Nr; sheets "
                + "left out: Notes", columns.words().orElseThrow());
        List<DataRow> rows = rows(columns.file());
        assertEquals(List.of("Wer hat Dienst?"), all(rows, "question"));
        assertEquals(List.of("FAQ"), all(rows, "sheet"));
        Path own = workbook(new Object[] {"Notes", "Read me first.", "Ask Ann."},
                new Object[] {"FAQ", "question;answer", "Who?;Ann."});
        assertEquals(List.of("Who?"), all(rows(found(own).file()), "question"));
        Path both = workbook(new Object[] {"A", "Frage;Antwort", "Wer?;Ann."}, new Object[] {"B", "Frage;Antwort",
            "Wo?;Hier."});
        assertEquals(List.of("Wer?", "Wo?"), all(rows(found(both).file()), "question"));
    }

    @Test
    void aWorkbookWithoutATableIsNoHandbookButNamesItsSheets() throws IOException {
        String wrong = assertThrows(DataException.class, () -> found(FIXTURES.resolve("handbook.xlsx"))).getMessage();
        assertTrue(wrong.contains("sheet 'Pay': Grade (Deckhand), Pay per month (2,150 EUR)") && wrong.contains(
                "sheet 'Dates': What (Carried over until)") && wrong.contains("columns can be renamed: Grade=question"),
                wrong);
        Path several = workbook(new Object[] {"A", "Frage;Antwort", "Wer?;Ann."}, new Object[] {"B", "Question;Answer",
            "Who?;Bob."});
        String unclear = assertThrows(DataException.class, () -> found(several)).getMessage();
        assertTrue(unclear.contains("the sheets [A, B] have different columns") && unclear.contains(
                "renamed: Frage=question, Antwort=answer\ncolumns can be renamed: Question=question, Answer=answer"),
                unclear);
        assertEquals(List.of("Who?"), all(rows(DataFile.of(several).withColumns(Map.of("Question", "question",
                "Answer", "answer"))), "question"));
    }

    @ParameterizedTest
    @CsvSource({"encrypted.pdf, is encrypted with a password", "pictures.pdf, holds no text",
        "hostile.pdf, unpacks to more than 64 MiB", "hostile.docx, unpacks to more than 64 MiB",
        "hostile.xlsx, unpacks to more than 64 MiB"})
    void whatCannotBeReadSaysWhy(String file, String reason) {
        Path path = FIXTURES.resolve(file);
        DataException e = assertThrows(DataException.class, () -> rows(file));
        assertTrue(e.getMessage().startsWith(path + ":1") && e.getMessage().contains(reason), e.getMessage());
        List<Finding> findings = DataCheck.of(path).run().findings();
        assertEquals(FindingCode.INVALID_DOCUMENT, findings.get(0).code(), findings.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"handbook.pdf", "typeset.pdf", "handbook.docx", "handbook.xlsx"})
    void aFileThatIsCutOffOrChangedIsReadOrRefused(String name) throws IOException {
        byte[] sound = Files.readAllBytes(FIXTURES.resolve(name));
        Path file = folder.resolve(name);
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 40; i++) {
            byte[] damaged = i % 2 == 0 ? Arrays.copyOf(sound, random.nextInt(sound.length)) : sound.clone();
            for (int k = 0; k < 20 && i % 2 == 1; k++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, damaged);
            try (OpenRows source = OpenRows.open(DataFile.of(file))) {
                Optional<DataRow> entry = source.next();
                while (entry.isPresent()) {
                    refused += entry.get().isWrong() ? 1 : 0;
                    entry = source.next();
                }
            }
        }
        assertTrue(refused >= 20 && refused <= 40, "refused " + refused);
    }

    /** A PDF with one page that draws this. */
    private Path pdf(String content) throws IOException {
        Path file = folder.resolve("drawn.pdf");
        try (PDDocument document = new PDDocument()) {
            PDPage page = new PDPage();
            PDResources resources = new PDResources();
            resources.put(COSName.getPDFName("F"), new PDType1Font(Standard14Fonts.FontName.HELVETICA));
            page.setResources(resources);
            PDStream stream = new PDStream(document);
            try (OutputStream out = stream.createOutputStream(COSName.FLATE_DECODE)) {
                out.write(content.getBytes(StandardCharsets.ISO_8859_1));
            }
            page.setContents(stream);
            document.addPage(page);
            document.save(file.toFile());
        }
        return file;
    }

    private static String refusal(Path file) {
        return assertThrows(DataException.class, () -> rows(DataFile.of(file))).getMessage();
    }

    /** Each is small, and unpacks to what would take hours or all memory. */
    @Test
    void whatAFileMakesIsCounted() throws IOException {
        String deep = refusal(pdf("q ".repeat(3_000_000)));
        assertTrue(deep.contains("states of drawing are kept more than 1000 deep"), deep);
        String words = refusal(pdf("BT /F 1 Tf 10 700 Td (" + "a ".repeat(5_000_000) + ") Tj ET"));
        assertTrue(words.contains("is too intricate to be read"), words);
        String operators = refusal(pdf("0 0 m ".repeat(5_000_000).concat("0 0 l ".repeat(5_000_000)).repeat(4)));
        assertTrue(operators.contains("is too intricate") || operators.contains("unpacks to more"), operators);
        // Far apart, so that places between them are looked at.
        assertEquals(1, rows(DataFile.of(pdf("BT /F 10 Tf 10 700 Td (One word) Tj 1e9 0 Td (and another) Tj ET")))
                .size());
    }

    /** Each line with one cell is compared with all above it. */
    @Test
    void aTableOfManyLinesIsRefused() throws IOException {
        String row = "(Key) Tj 200 0 Td (Value) Tj -200 -11 Td (more) Tj 0 -11 Td ";
        String refused = refusal(pdf("BT /F 10 Tf 10 700 Td " + row.repeat(25_000) + "ET"));
        assertTrue(refused.contains("is too intricate to be read"), refused);
    }

    @Test
    void anEncodingThatJavaLacksNamesTheModuleToAdd() throws IOException {
        DataFile file = DataFile.of(Files.createFile(folder.resolve("mac.pdf")));
        String reason = Documents.read(file, (path, sections) -> {
            throw new UnsupportedCharsetException("x-MacRoman");
        }).next().orElseThrow().exception().getMessage();
        assertTrue(reason.contains("in the encoding x-MacRoman, which this Java cannot read: add its module "
                + "jdk.charsets"), reason);
    }

    @Test
    void whoLeavesIsNotReadFor() throws IOException {
        Path file = pdf("BT /F 10 Tf 10 700 Td (" + "word ".repeat(20_000) + ") Tj ET");
        int[] looks = {0};
        assertThrows(ClosedException.class, () -> rows(DataFile.of(file).withLook(() -> {
            if (++looks[0] == 2) {
                throw new ClosedException("the connection");
            }
        })));
        assertEquals(2, looks[0]);
    }

    @Test
    void aPartIsCountedWhateverItIsCalled() throws IOException {
        Path file = folder.resolve("named.docx");
        try (ZipFile from = new ZipFile(FIXTURES.resolve("handbook.docx").toFile());
                ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(file))) {
            for (ZipEntry entry : Collections.list(from.entries())) {
                String name = entry.getName().replace("word/document.xml", "word/document.dat");
                String text = new String(from.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8)
                        .replace("word/document.xml", "word/document.dat").replace("Target=\"document.xml",
                                "Target=\"document.dat");
                to.putNextEntry(new ZipEntry(name));
                if (name.equals("word/document.dat")) {
                    int body = text.indexOf("<w:body>") + "<w:body>".length();
                    to.write(text.substring(0, body).getBytes(StandardCharsets.UTF_8));
                    byte[] blank = " ".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
                    for (int i = 0; i < 70; i++) {
                        to.write(blank);
                    }
                    text = text.substring(body);
                }
                to.write(text.getBytes(StandardCharsets.UTF_8));
            }
        }
        assertTrue(refusal(file).contains("MiB of text, the limit for a document"), refusal(file));
    }
}
