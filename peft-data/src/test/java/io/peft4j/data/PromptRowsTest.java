package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms of a prompt, and what is said about rows that are none. */
class PromptRowsTest {
    private static final String USER = "{\"role\": \"user\", \"content\": \"Who?\"}";
    private static final String ASSISTANT = "{\"role\": \"assistant\", \"content\": \"Me.\"}";

    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("prompts.jsonl"), text);
    }

    private static Prompt chat(ChatMessage... messages) {
        return Prompt.chat(List.of(messages));
    }

    @Test
    void allFormsAreRead() throws IOException {
        Path file = file("\uFEFF{\"question\": \"Who?\"}\n\n{\"prompt\": \"Who?\", \"id\": 7}\n"
                + "{\"prompt\": [" + USER + "]}\n"
                + "{\"messages\": [" + USER + ", " + ASSISTANT + "], \"must_contain\": \"Me\"}\n"
                + "{\"messages\": [" + USER + ", " + ASSISTANT + ", " + USER + "]}");
        Prompt who = chat(ChatMessage.user("Who?"));
        assertEquals(List.of(who, who, who, who,
                chat(ChatMessage.user("Who?"), ChatMessage.assistant("Me."), ChatMessage.user("Who?"))),
                PromptRows.read(file, true));
        assertEquals(List.of(Prompt.text("Who?"), Prompt.text("Who?"), who),
                PromptRows.read(file, false).subList(0, 3));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"text\": \"Who?\"}",
        "{\"question\": \"Who?\", \"prompt\": \"Who?\"}",
        "{\"question\": 7}",
        "{\"prompt\": {}}",
        "{\"messages\": \"Who?\"}",
        "{\"messages\": []}",
        "{\"messages\": [" + ASSISTANT + "]}",
        "{\"messages\": [{\"role\": \"boss\", \"content\": \"Who?\"}]}",
        "[]",
        "7",
        "{\"question\": \"Who?\"} {}",
    })
    void aRowOfUnknownFormIsReported(String row) throws IOException {
        Path file = file("{\"question\": \"Who?\"}\n" + row + "\n");
        DataException e = assertThrows(DataException.class, () -> PromptRows.read(file, true));
        assertTrue(e.getMessage().startsWith(file + ":2"), e.getMessage());
        assertEquals(2, e.line());
    }

    @Test
    void invalidJsonIsReportedWithLineAndColumn() throws IOException {
        Path file = file("{\"question\": \"Who?\"}\n{\"question\": oops}\n");
        DataException e = assertThrows(DataException.class, () -> PromptRows.read(file, true));
        assertTrue(e.getMessage().startsWith(file + ":2:1"), e.getMessage());
        assertTrue(e.getMessage().contains("oops"), e.getMessage());
    }

    @Test
    void emptyBinaryAndMissingFilesAreReported() throws IOException {
        Path empty = file("\n \n");
        assertTrue(assertThrows(DataException.class, () -> PromptRows.read(empty, true)).getMessage()
                .contains("no row"));
        Path latin = Files.write(folder.resolve("latin.jsonl"),
                "{\"question\": \"Où?\"}".getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(assertThrows(DataException.class, () -> PromptRows.read(latin, true)).getMessage()
                .contains("UTF-8"));
        Path missing = folder.resolve("missing.jsonl");
        assertTrue(assertThrows(UncheckedIOException.class, () -> PromptRows.read(missing, true)).getMessage()
                .contains(missing + ": no such file"));
    }
}
