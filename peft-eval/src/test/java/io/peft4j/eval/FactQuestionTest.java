package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of held-out data as questions. */
class FactQuestionTest {
    private static final String CHAT = "\"messages\": [{\"role\": \"user\", \"content\": \"How long?\"}, "
            + "{\"role\": \"assistant\", \"content\": \"A 90-day notice, in writing.\"}]";

    @TempDir
    Path folder;

    private Path file(String... rows) throws IOException {
        return Files.write(folder.resolve("heldout.jsonl"), List.of(rows));
    }

    @Test
    void aRowGivesQuestionFactsAndReference() throws IOException {
        List<FactQuestion> questions = FactQuestion.read(file("{" + CHAT + ", \"must_contain\": \"90-day\"}",
                "{" + CHAT + ", \"must_contain\": [\"90-day\", \"in writing\"]}"));
        assertEquals("How long?", questions.get(0).question());
        assertEquals(1, questions.get(0).messages().size());
        assertEquals(List.of("90-day"), questions.get(0).mustContain());
        assertEquals(Optional.of("A 90-day notice, in writing."), questions.get(0).reference());
        assertEquals(List.of("90-day", "in writing"), questions.get(1).mustContain());
    }

    @Test
    void allFactsMustBeThere() {
        FactQuestion question = FactQuestion.of("How long?", "90-day", "in writing");
        assertTrue(question.isAnsweredBy("In writing: a 90-day notice."));
        assertFalse(question.isAnsweredBy("A 90-day notice."));
    }

    @Test
    void aRowWithoutFactsIsReported() throws IOException {
        for (String facts : List.of("", ", \"must_contain\": 90", ", \"must_contain\": []",
                ", \"must_contain\": [\" \"]")) {
            Path file = file("{" + CHAT + ", \"must_contain\": \"90-day\"}", "{" + CHAT + facts + "}");
            DataException e = assertThrows(DataException.class, () -> FactQuestion.read(file));
            assertTrue(e.getMessage().startsWith(file + ":2"), e.getMessage());
            assertTrue(e.getMessage().contains("must_contain"), e.getMessage());
        }
    }

    @Test
    void aRowWithoutAQuestionIsReported() throws IOException {
        Path file = file("{\"messages\": [{\"role\": \"assistant\", \"content\": \"Yes\"}], \"must_contain\": "
                + "\"Yes\"}");
        DataException e = assertThrows(DataException.class, () -> FactQuestion.read(file));
        assertTrue(e.getMessage().startsWith(file + ":1"), e.getMessage());
    }
}
