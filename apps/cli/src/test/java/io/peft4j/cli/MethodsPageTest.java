package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import org.junit.jupiter.api.Test;

/** The lines of Java in the page on methods work as they stand there, with what {@code peft4j jshell} imports. */
class MethodsPageTest {
    private static String page() throws IOException {
        String page = Files.readString(Path.of("../../docs/methods.md"));
        int start = page.indexOf("```java\n") + "```java\n".length();
        return page.substring(start, page.indexOf("```", start));
    }

    private static String imports() throws IOException {
        try (InputStream in = Main.class.getResourceAsStream("startup.jsh")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static SnippetEvent run(JShell shell, String line) {
        SnippetEvent event = shell.eval(line).get(0);
        assertEquals(Snippet.Status.VALID, event.status(), line);
        assertTrue(event.exception() == null, line + " throws " + event.exception());
        return event;
    }

    @Test
    void configurationsOnThePageAreBuilt() throws IOException {
        List<String> built = new ArrayList<>();
        try (JShell shell = JShell.builder().executionEngine("local").build()) {
            imports().lines().filter(line -> !line.isBlank()).forEach(line -> run(shell, line));
            page().lines().forEach(line -> built.add(run(shell, line).value()));
        }
        assertEquals(3, built.size());
        assertTrue(built.get(0).startsWith("LoraConfig[") && built.get(0).contains("rank=16"), built.get(0));
        assertTrue(built.get(1).startsWith("OftConfig[") && built.get(1).contains("blockSize=16"), built.get(1));
        assertTrue(built.get(2).startsWith("PromptTuningConfig[") && built.get(2).contains("handbook"), built.get(2));
    }
}
