package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.task.RowKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The columns of a user's table are found by their names and their content, said, and remembered beside it. */
class TableColumnsTest {
    private static final String ROW = "7;Wie lange ist die Frist?;Die Frist ist drei Monate lang.;2027-01-31\n"
            + "8;Wo ist das B\u00fcro?;Es liegt im zweiten Stock.;2027-02-01\n";

    @TempDir
    private Path folder;

    private TableColumns found(String table, List<List<String>> forms) throws IOException {
        return TableColumns.of(DataFile.of(Files.writeString(folder.resolve("t.csv"), table)), forms);
    }

    private TableColumns found(String table) throws IOException {
        return found(table, TableColumns.EXAMPLES);
    }

    @ParameterizedTest
    @CsvSource({"Frage, Antwort", "FRAGEN, antworten", "Question, Answer", "Question, R\u00e9ponse",
        "Pregunta, Respuesta", "Kundenfrage, Unsere Antwort", "Frage, L\u00f6sung", "question_text, answer (EN)",
        "Spalte 1, Spalte 2"})
    void aQuestionAndItsAnswerAreFoundInFourLanguagesAndByContent(String question, String answer) throws IOException {
        TableColumns columns = found("ID;" + question + ";" + answer + ";Datum\n" + ROW);
        assertEquals(Map.of(question, "question", answer, "answer"), columns.file().columns());
        assertEquals(Optional.of("columns: " + question + " is the question, " + answer
                + " the answer; others left out: ID, Datum"), columns.words());
        assertEquals("Wo ist das B\u00fcro?", ChatDataset.read(columns.file()).examples().get(1).messages().get(0)
                .content());
    }

    @ParameterizedTest
    @CsvSource({"Prompt;Completion, prompt;completion", "Text;Kategorie, text;label", "Mensaje;Etiqueta, text;label",
        "Prompt;Chosen;Rejected, prompt;chosen;rejected", "Quelle;Ziel, source;target",
        "Nachricht;Klasse, text;label", "Frage;Kategorie, text;label"})
    void otherFormsAreFoundByTheirNames(String header, String names) throws IOException {
        String cells = ROW.replaceAll("(?m)^\\d;", "").replaceAll(";2027.*", ";abc");
        int columns = header.split(";").length;
        String table = header + "\n" + cells.lines().map(line -> String.join(";", List.of(line.split(";")).subList(0,
                columns)) + "\n").reduce("", String::concat);
        Map<String, String> found = found(table).file().columns();
        assertEquals(names, String.join(";", List.of(header.split(";")).stream().map(found::get).toList()));
    }

    @Test
    void columnsWithAFormatsOwnNamesNeedNoWord() throws IOException {
        TableColumns columns = found("id;question;answer;day\n" + ROW);
        assertEquals(Map.of(), columns.file().columns());
        assertTrue(columns.words().isEmpty());
        columns.remember();
        assertFalse(Files.exists(folder.resolve("t.csv.columns.json")));
        assertEquals(Map.of(), found("tokens;labels\na;b\n").file().columns());
        assertEquals(Map.of(), found("state;questions\na;{}\n").file().columns());
    }

    @Test
    void whatAnObjectiveLearnsDecidesBetweenSeveralForms() throws IOException {
        String table = "Frage;Antwort;Kategorie\n" + ROW.replaceAll("(?m)^\\d;", "").replaceAll("2027.*", "IT");
        assertEquals(Map.of("Frage", "question", "Antwort", "answer"), found(table).file().columns());
        assertEquals(Map.of("Frage", "text", "Kategorie", "label"), found(table, RowKind.TEXTS.forms()).file()
                .columns());
        assertEquals(TableColumns.EXAMPLES, ChatDataset.ROWS.forms());
    }

    @Test
    void whatStaysUnclearListsTheColumnsAndEachWayToNameThem() throws IOException {
        String table = "Nr;Frage;Antwort DE;Antwort EN\n1;Wie lange?;Die Frist ist kurz.;The period is short.\n";
        String wrong = assertThrows(DataException.class, () -> found(table)).getMessage();
        assertTrue(wrong.contains("columns: Nr (1), Frage (Wie lange?), Antwort DE (Die Frist ist kurz.), Antwort EN"),
                wrong);
        assertTrue(wrong.contains("tried, by names and by content: question and answer; "), wrong);
        assertTrue(wrong.endsWith("columns can be renamed: Frage=question, \"Antwort DE=answer\"\n"
                + "columns can be renamed: Frage=question, \"Antwort EN=answer\""), wrong);
        String nothing = assertThrows(DataException.class, () -> found("X;Y;Z\n1;b;c\n2;b;d\n")).getMessage();
        assertTrue(nothing.endsWith("columns can be renamed: Y=question, Z=answer"), nothing);
    }

    @Test
    void columnsAreRememberedBesideTheTableAndGivenOnesWin() throws IOException {
        String table = "Nr;Kunde sagt;Wir sagen\n" + ROW.replaceAll(";2027.*", "");
        TableColumns found = found(table);
        found.remember();
        Path beside = folder.resolve("t.csv.columns.json");
        assertEquals("{\"columns\":[{\"Kunde sagt\":\"question\",\"Wir sagen\":\"answer\"}]}\n", Files.readString(
                beside));
        assertFalse(found.remembered());
        assertTrue(found(table).remembered());
        assertTrue(found(table).words().orElseThrow().endsWith(" (from t.csv.columns.json)"));
        Map<String, String> given = Map.of("Kunde sagt", "answer", "Wir sagen", "question");
        TableColumns.of(DataFile.of(folder.resolve("t.csv")).withColumns(given), TableColumns.EXAMPLES).remember();
        assertEquals(given, found(table).file().columns());
        // Names for another form stay beside it, and a table with other columns is looked at again.
        Map<String, String> classes = Map.of("Kunde sagt", "text", "Nr", "label");
        TableColumns.of(DataFile.of(folder.resolve("t.csv")).withColumns(classes), TableColumns.EXAMPLES).remember();
        assertEquals(given, found(table, List.of(List.of("question", "answer"))).file().columns());
        assertEquals(classes, found(table, TableColumns.TEXTS).file().columns());
        assertEquals(Map.of("Frage", "question", "Antwort", "answer"), found("Frage;Antwort\na?;b c d\n").file()
                .columns());
        Files.writeString(beside, "{\"columns\": 7");
        assertFalse(found(table).remembered());
    }

    @Test
    void aFileThatIsNoTableIsLeftAsItIs() throws IOException {
        DataFile lines = DataFile.of(Files.writeString(folder.resolve("t.jsonl"), "{\"Frage\": \"a\"}\n"));
        assertEquals(lines, TableColumns.of(lines, TableColumns.EXAMPLES).file());
        DataFile missing = DataFile.of(folder.resolve("none.csv"));
        assertEquals(missing, TableColumns.of(missing, TableColumns.EXAMPLES).file());
    }

    @Test
    void textsOfChecksAreNeverProposedAsAnswers() throws IOException {
        Path items = Files.writeString(folder.resolve("items.jsonl"),
                "{\"question\": \"How long?\", \"must_contain\": \"3 months\"}\n");
        String wrong = assertThrows(DataException.class, () -> ChatDataset.read(items)).getMessage();
        assertTrue(wrong.contains("is a held-out item, with [question, must_contain] and no answer to learn"), wrong);
        assertFalse(wrong.contains("=answer"), wrong);
        Path mixed = Files.writeString(folder.resolve("mixed.csv"), "Frage;Stichwort\nWie lange?;3 Monate\n");
        DataFile table = TableColumns.of(DataFile.of(mixed), TableColumns.EXAMPLES).file();
        assertEquals(Map.of("Frage", "question"), table.columns());
        assertFalse(assertThrows(DataException.class, () -> ChatDataset.read(table)).getMessage().contains("=answer"));
    }
}
