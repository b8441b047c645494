package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program with an embedder, a reranker and a decision, here on a part of the handbook with the built-in model. */
@Tag("full")
class SearchHandbookTest {
    private static final Pattern TOPICS = Pattern.compile("Tallyboard|probation|notice period");

    @TempDir
    Path folder;

    @Test
    void threeAdaptersSearchAHandbook() throws IOException {
        for (String name : List.of("train.jsonl", "heldout.jsonl")) {
            try (Stream<String> rows = Files.lines(Path.of("handbook", name))) {
                Files.write(folder.resolve(name), (Iterable<String>) rows.filter(row -> TOPICS.matcher(row)
                        .find())::iterator);
            }
        }
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            SearchHandbook.main(new String[] {folder.toString(), folder.resolve("out").toString(), "tiny", "tiny"});
        } finally {
            System.setOut(console);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        for (String name : List.of("embedder", "reranker", "decider")) {
            assertTrue(AdapterCheckpoint.isAdapter(folder.resolve("out").resolve(name)), name);
        }
        assertTrue(number("search after: +nDCG at 10 ([0-9.]+)", text) > 0.1 + number("search before: +nDCG at 10 "
                + "([0-9.]+)", text), text);
        assertTrue(number("decision after: +([0-9]+)", text) > 0, text);
    }

    private static double number(String pattern, String text) {
        Matcher found = Pattern.compile(pattern).matcher(text);
        assertTrue(found.find(), text);
        return Double.parseDouble(found.group(1));
    }
}
