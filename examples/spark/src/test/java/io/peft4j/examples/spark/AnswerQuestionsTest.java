package io.peft4j.examples.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnswerQuestionsTest {
    private static final Path FIXTURES = Path.of("../../tests/fixtures");

    @Tag("full")
    @Test
    void everyQuestionIsCheckedAndAnswered(@TempDir Path folder) throws IOException {
        Path questions = Files.write(folder.resolve("questions.jsonl"),
                Files.readAllLines(Path.of("..", "handbook", "heldout.jsonl")).subList(0, 12));
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            AnswerQuestions.main(new String[] {FIXTURES.resolve("tiny-llama").toString(),
                FIXTURES.resolve("adapters").resolve("lora").toString(), questions.toString(),
                folder.resolve("output").toString()});
        } finally {
            System.setOut(console);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.matches("(?s).*12 questions, \\d+ findings, 12 answers\\R"), text);
        try (var files = Files.list(folder.resolve("output").resolve("findings"))) {
            assertTrue(files.anyMatch(file -> file.toString().endsWith(".json")));
        }
    }
}
