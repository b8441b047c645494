package io.peft4j.eval.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.Origin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of held-out data as questions with what a right answer is. */
class EvaluationDataTest {
    private static final String REFERENCE = "A 90-day notice, in writing.";
    private static final String CHAT = "\"messages\": [{\"role\": \"user\", \"content\": \"How long?\"}, "
            + "{\"role\": \"assistant\", \"content\": \"" + REFERENCE + "\"}]";

    @TempDir
    Path folder;

    private Path file(String... rows) throws IOException {
        return Files.write(folder.resolve("heldout.jsonl"), List.of(rows));
    }

    @ParameterizedTest
    @ValueSource(strings = {CHAT, "\"question\": \"How long?\", \"reference\": \"" + REFERENCE + "\"",
        "\"question\": \"How long?\", \"answer\": \"" + REFERENCE + "\"",
        "\"prompt\": \"How long?\", \"completion\": \"" + REFERENCE + "\""})
    void everyFormGivesQuestionReferenceAndFacts(String form) throws IOException {
        List<EvaluationItem> items = EvaluationData.read(file("{" + form + ", \"must_contain\": \"90-day\"}",
                "{" + form + ", \"must_contain\": [\"90-day\", \"in writing\"]}", "{" + form + "}"));
        List<ChatMessage> asked = List.of(ChatMessage.user("How long?"));
        List<List<String>> facts = List.of(List.of("90-day"), List.of("90-day", "in writing"), List.of());
        for (int i = 0; i < 3; i++) {
            assertEquals(new EvaluationItem(asked, List.of(REFERENCE), facts.get(i), Expectation.NONE, Map.of(),
                    TokenSequence.NO_TASK, new Origin(folder.resolve("heldout.jsonl").toString(), i + 1)),
                    items.get(i));
        }
        assertTrue(items.get(1).isAnsweredBy("In writing: a 90-day notice."));
        assertFalse(items.get(1).isAnsweredBy("A 90-day notice."));
    }

    @Test
    void theAnswerAmongChoicesIsNoReference() throws IOException {
        EvaluationItem item = EvaluationData.read(file("{\"question\": \"How long?\", \"choices\": [\"90\", \"30\"], "
                + "\"answer\": \"30\"}")).get(0);
        assertEquals(List.of(), item.references());
        assertEquals(Expectation.choice(List.of("90", "30"), 1), item.further());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"must_contain\": 90", "\"must_contain\": []", "\"must_contain\": [\" \"]"})
    void factsThatAreNoTextsAreReportedWithTheirLine(String facts) throws IOException {
        Path file = file("{" + CHAT + "}", "{" + CHAT + ", " + facts + "}");
        DataException e = assertThrows(DataException.class, () -> EvaluationData.read(file));
        assertTrue(e.getMessage().startsWith(file + ":2") && e.getMessage().contains("must_contain"), e.getMessage());
    }

    @Test
    void aRowWithoutAQuestionIsReported() throws IOException {
        Path file = file("{\"messages\": [{\"role\": \"assistant\", \"content\": \"Yes\"}], \"must_contain\": "
                + "\"Yes\"}");
        DataException e = assertThrows(DataException.class, () -> EvaluationData.read(file));
        assertTrue(e.getMessage().startsWith(file + ":1"), e.getMessage());
    }
}
