package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.PromptRows;
import io.peft4j.data.task.RowKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables as people's spreadsheets write them: encodings, separators, and columns with names of their own. */
class TablesOfPeopleTest {
    private static final String TABLE = "question;answer\r\nWie lange ist die K\u00fcndigungsfrist?;3 Monate.\r\n"
            + "Was kostet das Mittagessen?;Es kostet 5 \u20ac, Getr\u00e4nke nicht.\r\n";

    @TempDir
    Path folder;

    private Path file(String name, String text, Charset encoding) throws IOException {
        return Files.write(folder.resolve(name), text.getBytes(encoding));
    }

    private static List<String> texts(ChatDataset data) {
        return data.stream().flatMap(example -> example.messages().stream()).map(ChatMessage::content).toList();
    }

    private static final List<String> EXPECTED = List.of("Wie lange ist die K\u00fcndigungsfrist?", "3 Monate.",
            "Was kostet das Mittagessen?", "Es kostet 5 \u20ac, Getr\u00e4nke nicht.");

    @ParameterizedTest
    @ValueSource(strings = {"windows-1252", "cp1252", "ANSI", "UTF-16LE", "UTF-16BE", "UTF-8", "ISO-8859-15"})
    void aTableIsReadInTheEncodingThatIsNamed(String name) throws IOException {
        Charset encoding = DataFile.encoding(name);
        Path file = file("t.csv", TABLE, encoding);
        assertEquals(EXPECTED, texts(ChatDataset.read(DataFile.of(file).withEncoding(encoding))));
    }

    @Test
    void byteOrderMarksAreUnderstoodWithoutAWord() throws IOException {
        for (Charset encoding : List.of(StandardCharsets.UTF_8, StandardCharsets.UTF_16LE,
                StandardCharsets.UTF_16BE)) {
            assertEquals(EXPECTED, texts(ChatDataset.read(file("t.csv", "\uFEFF" + TABLE, encoding))));
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(("\uFEFF" + TABLE).getBytes(StandardCharsets.UTF_16LE));
        }
        assertEquals(EXPECTED, texts(ChatDataset.read(Files.write(folder.resolve("t.csv.gz"), packed.toByteArray()))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"windows-1252", "x-MacRoman"})
    void anUnnamedEncodingIsRecognisedByTheWordThatItGives(String encoding) throws IOException {
        Path file = file("t.csv", TABLE, Charset.forName(encoding));
        DataException wrong = assertThrows(DataException.class, () -> ChatDataset.read(file));
        assertEquals(2, wrong.line());
        assertTrue(wrong.getMessage().contains("in " + encoding + " the word is 'K\u00fcndigungsfrist'"),
                wrong.getMessage());
        assertTrue(wrong.getMessage().contains("read the file as " + encoding), wrong.getMessage());
    }

    @Test
    void aPipeIsNamedAsOne() {
        Path device = Path.of("/dev/null");
        Assumptions.assumeTrue(Files.exists(device), "only Unix has /dev/null");
        String message = DataFiles.unreadable(device, new IOException("Illegal seek")).getMessage();
        assertEquals("cannot read /dev/null: it is a pipe or a device, and data is read more than once; write it to a "
                + "file first (Illegal seek)", message);
    }

    @Test
    void utf16WithoutAMarkIsNamed() throws IOException {
        Path file = file("t.csv", TABLE, StandardCharsets.UTF_16LE);
        assertTrue(assertThrows(RuntimeException.class, () -> ChatDataset.read(file)).getMessage()
                .contains("read the file as UTF-16LE"));
    }

    @Test
    void utf8IsNotReadAsSomethingElse() throws IOException {
        DataFile file = DataFile.of(file("t.csv", TABLE, StandardCharsets.UTF_8))
                .withEncoding(Charset.forName("windows-1252"));
        assertTrue(assertThrows(DataException.class, () -> ChatDataset.read(file)).getMessage()
                .contains("is UTF-8 text, but is read as windows-1252"));
    }

    @Test
    void whatIsNoTextInTheNamedEncodingIsAFaultInItsLine() throws IOException {
        byte[] bytes = TABLE.getBytes(Charset.forName("windows-1252"));
        bytes[new String(bytes, StandardCharsets.ISO_8859_1).indexOf("Mittag")] = (byte) 0x81;
        Path file = Files.write(folder.resolve("t.csv"), bytes);
        DataException wrong = assertThrows(DataException.class, () -> ChatDataset.read(DataFile.of(file)
                .withEncoding(Charset.forName("windows-1252"))));
        assertEquals(3, wrong.line());
        assertTrue(wrong.getMessage().contains("is not text in windows-1252"), wrong.getMessage());
    }

    @Test
    void unknownEncodingsAndThoseOfBinaryFilesAreRefused() {
        assertTrue(assertThrows(ConfigurationException.class, () -> DataFile.encoding("utf-9")).getMessage()
                .matches(".*unknown encoding 'utf-9'; Excel writes UTF-8.* need Java's module jdk.charsets.*"));
    }

    @Test
    void theLineInWhichExcelNamesTheSeparatorIsNoHeader() throws IOException {
        assertEquals(EXPECTED, texts(ChatDataset.read(file("t.csv", "sep=;\r\n" + TABLE, StandardCharsets.UTF_8))));
        String tabs = TABLE.replace(';', '\t');
        assertEquals(EXPECTED, texts(ChatDataset.read(file("tabs.csv", tabs, StandardCharsets.UTF_8))));
        assertEquals(EXPECTED, texts(ChatDataset.read(file("t.tsv", tabs, StandardCharsets.UTF_8))));
    }

    @Test
    void aHeaderThatFitsNothingIsListedWithTheColumnsThatWould() throws IOException {
        Path file = file("t.csv", TABLE.replace("question;answer", "Nr.;Kundenfrage;Unsere Antwort")
                .replace("\nW", "\n1;W"), StandardCharsets.UTF_8);
        String wrong = assertThrows(DataException.class, () -> ChatDataset.read(file)).getMessage();
        assertTrue(wrong.contains("only Nr., Kundenfrage, Unsere Antwort;"), wrong);
        Path exact = file("t2.csv", TABLE.replace("question;answer", "Frage;Antwort"), StandardCharsets.UTF_8);
        String told = assertThrows(DataException.class, () -> ChatDataset.read(exact)).getMessage();
        assertTrue(told.contains("only Frage, Antwort; columns can be renamed: Frage=question, "
                + "Antwort=answer"), told);
        assertTrue(told.endsWith("\nThe same in line 3"), told);
        assertEquals(EXPECTED, texts(ChatDataset.read(DataFile.of(exact)
                .withColumns(Map.of("Frage", "question", "Antwort", "answer")))));
    }

    @Test
    void whatOneReaderAdvisesIsWhatItTakes() throws IOException {
        DataFile asked = DataFile.of(file("q.csv", "Id;Frage\n1;Wo?\n", StandardCharsets.UTF_8));
        String wrong = assertThrows(DataException.class, () -> PromptRows.read(asked, true)).getMessage();
        assertTrue(wrong.endsWith("only Id, Frage; columns can be renamed: Frage=question"), wrong);
        assertEquals(1, PromptRows.read(asked.withColumns(Map.of("Frage", "question")), true).size());
        DataFile classes = DataFile.of(file("c.csv", "Meldung lang;Kategorie\nKaputt.;IT\n", StandardCharsets.UTF_8));
        String labels = assertThrows(DataException.class, () -> RowKind.TEXTS.read(classes)).getMessage();
        assertTrue(labels.endsWith("Kategorie=label, \"Meldung lang=text\""), labels);
        assertEquals(List.of("IT"), RowKind.TEXTS.read(classes.withColumns(Map.of("Meldung lang", "text", "Kategorie",
                "label"))).get(0).labels());
    }

    @Test
    void aColumnThatIsNotThereIsSaid() throws IOException {
        DataFile file = DataFile.of(file("t.csv", TABLE, StandardCharsets.UTF_8));
        String wrong = assertThrows(DataException.class, () -> ChatDataset.read(file.withColumns(
                Map.of("Thema", "topic")))).getMessage();
        assertTrue(wrong.contains("no row has a column [Thema], which is to be renamed; there are [question, answer]"),
                wrong);
        // A second file that has the names already needs no other.
        assertEquals(2, ChatDataset.read(file.withColumns(Map.of("Frage", "question"))).size());
        assertTrue(assertThrows(DataException.class, () -> ChatDataset.read(file.withColumns(
                Map.of("answer", "question")))).getMessage().contains("has a column 'question' besides the one"));
        assertThrows(ConfigurationException.class, () -> file.withColumns(Map.of("a", "question", "b", "question")));
    }
}
