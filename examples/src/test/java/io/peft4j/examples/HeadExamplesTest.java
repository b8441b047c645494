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
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs with encoders, and the one with preferences, learn what they are there for. */
@Tag("model")
@Tag("full")
class HeadExamplesTest {
    @TempDir
    Path folder;

    private String printed(Consumer<String[]> program, String data, String... more) {
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            program.accept(Stream.concat(Stream.of(data, folder.resolve("adapter").toString()), Stream.of(more))
                    .toArray(String[]::new));
        } finally {
            System.setOut(console);
        }
        assertTrue(AdapterCheckpoint.isAdapter(folder.resolve("adapter")));
        return printed.toString(StandardCharsets.UTF_8);
    }

    private static double[] numbers(String pattern, String text) {
        Matcher found = Pattern.compile(pattern).matcher(text);
        assertTrue(found.find(), text);
        double[] numbers = new double[found.groupCount()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Double.parseDouble(found.group(i + 1));
        }
        return numbers;
    }

    /** A folder with the first rows of a data set of the examples, as many as suffice to learn from. */
    private String first(int train, int heldOut, String name) throws IOException {
        Path few = Files.createDirectory(folder.resolve("few"));
        for (String file : List.of("train.jsonl", "heldout.jsonl")) {
            Files.write(few.resolve(file), Files.readAllLines(Path.of(name, file)).subList(0,
                    file.startsWith("train") ? train : heldOut));
        }
        return few.toString();
    }

    @Test
    void ticketsGoToTheirTeams() {
        String text = printed(ClassifyTickets::main, "tickets");

        double[] counts = numbers("(\\d+) of (\\d+) held-out", text);
        // A third is chance; 19 of 24 are measured with bf16, and rounding moves single tickets.
        assertTrue(counts[0] > 0.6 * counts[1], text);
    }

    @Test
    void namesThatWereNeverSeenAreFound() throws IOException {
        String text = printed(TagEntities::main, first(50, 27, "entities"));

        assertTrue(numbers("entity F1 ([\\d.]+)", text)[0] > 0.5, text);
    }

    @Test
    void betterAnswersArePreferredAlsoToNewQuestions() throws IOException {
        // Other tests ask the usual 639 general questions.
        String few = first(10, 10, "preferences");
        Path general = Files.writeString(folder.resolve("general.jsonl"), """
                {"category": "knowledge", "question": "What is the capital of France?", "choices": ["Paris", "Rome"]}
                {"category": "language", "question": "What is the plural of child?", "choices": ["children", "childs"]}
                {"category": "arithmetic", "question": "What is 2 plus 2?", "choices": ["4", "7"]}
                """);
        String text = printed(PreferAnswers::main, few, general.toString());

        assertTrue(text.matches("(?s)(ship:\\s- Take tuned|harm not known:\\s- Better on the task).*the margin of "
                + "better over\\s+worse answers moved by.*"), text);
        assertTrue(numbers("nats \\[\\+([\\d.]+), \\+[\\d.]+\\]\\s+on 10 held-out pairs", text)[0] > 0, text);
    }

    @Test
    void theSearchLearnsTheWordsOfTheCompany() throws IOException {
        String data = first(30, 60, "search");
        Files.copy(Path.of("search/pages.jsonl"), Path.of(data, "pages.jsonl"));
        String text = printed(TuneEmbeddings::main, data);

        assertTrue(numbers("gain: +[\\d.]+ \\[(-?[\\d.]+),", text)[0] > 0.2, text);
    }
}
