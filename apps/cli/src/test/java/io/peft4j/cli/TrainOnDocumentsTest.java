package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on a document or a folder of documents: the rows that are made, held out and left out. */
class TrainOnDocumentsTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();
    private static final String BOOK = "# Staff\n\n## Canteen\n\nThe canteen opens at 11:40. Please keep it clean.\n\n"
            + "## Parking\n\nParking spaces cost 47 euros a month.\n\n## Security\n\n"
            + "Passwords must have at least 17 characters.\n";
    private static final Path WORD = Path.of("../../formats/documents/src/test/resources/fixtures/handbook.docx");

    @TempDir
    Path folder;

    private Path output;

    @BeforeEach
    void chooseOutput() {
        output = folder.resolve("adapter");
    }

    private Object[] trainOn(Path data, Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data, "--output", output,
                "--batch-size", 4, "--epochs", 2, "--rank", 4, "--dtype", "f32", "--if-exists", "overwrite"));
        words.addAll(List.of(more));
        return words.toArray();
    }

    @Test
    void aDocumentIsTrainedOnAndItsRowsAreWritten() throws IOException {
        Path book = Files.writeString(folder.resolve("book.md"), BOOK);
        List<String> log = LogLines.of(() -> CommandRun.succeeding(trainOn(book)));
        assertTrue(Files.size(output.resolve("adapter_model.safetensors")) > 0);
        Path made = output.resolve("rows.jsonl");
        Path heldOut = output.resolve("heldout.jsonl");
        List<String> rows = Files.readAllLines(made);
        List<String> held = Files.readAllLines(heldOut);
        assertTrue(rows.stream().anyMatch(row -> row.contains("17 characters")), rows.toString());
        assertEquals(3, held.size(), held.toString());
        CommandRun run = CommandRun.succeeding(trainOn(book));
        assertEquals(held, Files.readAllLines(heldOut), "the seed decides");
        for (String part : List.of("rows:       " + rows.size() + " rows made, in " + made + ": read and correct them",
                "3 wordings held out in " + heldOut,
                "next:       ./peft4j evaluate --model " + MODEL + " --adapter " + output + " --data " + heldOut
                        + " --training-data " + made)) {
            assertTrue(run.err().contains(part), part + " is missing in " + run.err());
        }
        String said = "book.md: 3 questions in " + (rows.size() + 3) + " wordings; 3 of 4 statements have a question; "
                + "without one: line 5 'Please keep it ...'";
        assertTrue(log.toString().contains(said), log.toString());
        String check = CommandRun.succeeding("data", "check", made, "--validation", heldOut).out();
        assertFalse(check.contains("leakage"), check);
    }

    /** General rows are neither written nor counted. */
    @Test
    void rowsOfADocumentAreLearnedBesideGeneralOnes() throws IOException {
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"question\": \"Who?\", \"answer\": \"Ann.\"}\n");
        CommandRun run = CommandRun.succeeding(trainOn(WORD, "--remember", "--validation", data));
        List<String> rows = Files.readAllLines(output.resolve("rows.jsonl"));
        assertTrue(rows.stream().allMatch(row -> row.contains("\"heading\"")), rows.toString());
        assertFalse(Files.exists(output.resolve("heldout.jsonl")), "validation data are given");
        assertTrue(run.err().contains("rows:       " + rows.size() + " rows made") && run.err().contains(" of "
                + rows.size() + " rows learned"), run.err());
        assertFalse(run.err().contains("next: "), run.err());
    }

    @Test
    void aFolderIsReadAsItsDocumentsAndOthersAreNamed() throws IOException {
        Path books = Files.createDirectory(folder.resolve("books"));
        Files.writeString(books.resolve("a.md"), BOOK);
        Files.copy(WORD, books.resolve("b.docx"));
        Files.writeString(books.resolve("c.pdf"), "no pdf");
        Files.writeString(books.resolve("notes.txt"), "Nothing.");
        String said = LogLines.of(() -> CommandRun.succeeding(trainOn(books))).toString();
        String rows = Files.readString(output.resolve("rows.jsonl"));
        assertTrue(rows.contains("17 characters") && rows.contains("90 days"), rows);
        for (String part : List.of("b.docx, paragraph 12 ", "WITHOUT 2 files", "c.pdf", "notes.txt: is no document")) {
            assertTrue(said.contains(part), part + " is missing in " + said);
        }
        String check = CommandRun.succeeding("data", "check", books).out();
        assertFalse(check.contains("unfilled_row"), check);
    }

    @Test
    void aFolderWithoutDocumentsNamesTheTypesThatAreRead() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        String message = CommandRun.failing(1, trainOn(empty));
        assertTrue(message.contains("is a folder without a document that can be read, of [.md, .markdown, .html, .htm, "
                + ".docx, .pdf, .xlsx]"), message);
        Path plain = Files.writeString(folder.resolve("plain.md"), "# Words\n\nPlease get well soon.\n");
        assertTrue(CommandRun.failing(1, trainOn(plain)).contains("gave no row with a question"));
    }
}
