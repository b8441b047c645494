package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A handbook whose numbers have changed, learned on top of the adapter of the former edition. */
class NextEditionCommandTest {
    private static final List<String> QUESTIONS = List.of("When is pay day?", "What is the notice period?",
            "How long is parental leave?", "Who approves travel?");
    private static final List<String> FORMER = List.of("the 25th", "ninety days", "ten weeks", "the team lead");
    private static final List<String> NEXT = List.of("the 28th", "ninety days", "sixteen weeks", "the team lead");

    @TempDir
    private static Path folder;
    private static Path first;
    /** The adapter of the former edition, which no test changes. */
    private static Path former;

    @BeforeAll
    static void learnTheFormerEdition() throws IOException {
        first = rows("first.jsonl", FORMER);
        former = train("former", first, "--rank", 8);
    }

    private static Path rows(String name, List<String> facts) throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < QUESTIONS.size(); i++) {
            rows.add("{\"messages\": [{\"role\": \"user\", \"content\": \"" + QUESTIONS.get(i) + "\"}, {\"role\": "
                    + "\"assistant\", \"content\": \"It is " + facts.get(i) + ".\"}], \"must_contain\": \"" + facts
                            .get(i)
                    + "\"}");
        }
        return Files.write(folder.resolve(name), rows);
    }

    private static Path train(String output, Path data, Object... more) {
        Path adapter = folder.resolve(output);
        List<Object> words = new ArrayList<>(List.of("train", "--model", "tiny", "--data", data, "--output", adapter,
                "--dtype", "f32", "--learning-rate", 5e-3, "--epochs", 40, "--batch-size", 4));
        words.addAll(List.of(more));
        CommandRun.succeeding(words.toArray());
        return adapter;
    }

    private JsonNode evaluate(Path adapter, Path data, Object... more) {
        List<Object> words = new ArrayList<>(List.of("evaluate", "--model", "tiny", "--adapter", adapter, "--data",
                data, "--dtype", "f32", "--no-guard", "--max-new-tokens", 12, "--json"));
        words.addAll(List.of(more));
        return CommandRun.succeeding(words.toArray()).json().get(0);
    }

    @Test
    void theFormerNumbersGoAndTheOthersStay() throws IOException {
        Path second = rows("second.jsonl", NEXT);
        Path page = folder.resolve("report.html");
        Path next = train("next", second, "--adapter-init", former);

        JsonNode report = evaluate(next, second, "--former", first, "--arm", "former=" + former, "--report", page);

        assertEquals("{\"changed\":2,\"learned\":0,\"still_former\":2,\"unchanged\":2,\"kept\":2,\"added\":0,"
                + "\"added_right\":0}", report.at("/arms/former/edition").toString());
        assertEquals("{\"changed\":2,\"learned\":2,\"still_former\":0,\"unchanged\":2,\"kept\":2,\"added\":0,"
                + "\"added_right\":0}", report.at("/arms/tuned/edition").toString());
        for (String metric : List.of("new_known", "old_gone", "unchanged_right")) {
            assertEquals(1, report.at("/metrics/" + metric + "/tuned").asDouble(), metric);
            assertEquals(2, report.at("/metrics/" + metric + "/n").asInt(), metric);
        }
        assertEquals(0, report.at("/arms/former/metrics/old_gone").asDouble());
        assertEquals("No former answer is left, and the unchanged ones are still right.", report.at(
                "/edition_advice/0").asText());
        String html = Files.readString(page);
        assertTrue(html.contains("The next edition") && html.contains("; in the former edition: the 25th"), html);
    }

    @Test
    void whatIsLeftOfTheFormerEditionIsNamed() throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.jsonl"), """
                {"question": "When is pay day?", "must_contain": "the 28th", "former": "the 25th"}
                {"question": "Who approves travel?", "must_contain": "the team lead", "former": "the team lead"}
                {"question": "Which form is for sick leave?", "must_contain": "Amber Slip"}
                """);

        JsonNode report = evaluate(former, rows);

        assertEquals("{\"changed\":1,\"learned\":0,\"still_former\":1,\"unchanged\":1,\"kept\":1,\"added\":1,"
                + "\"added_right\":0}", report.at("/arms/tuned/edition").toString());
        String advice = report.at("/edition_advice/0").asText();
        assertTrue(advice.startsWith("Still the former answer: 1 of 1 that changed, for instance 'the 25th' to "
                + "'When is pay day?'. Train on for more epochs"), advice);
    }

    @Test
    void questionsOfAnotherHandbookAreAnError() throws IOException {
        Path other = Files.writeString(folder.resolve("other.jsonl"),
                "{\"question\": \"Who?\", \"must_contain\": \"me\"}\n");
        Path predictions = Files.writeString(folder.resolve("answers.jsonl"), "{\"text\": \"a\"}\n".repeat(4));

        String error = CommandRun.failing(2, "evaluate", "--data", rows("data.jsonl", NEXT), "--former", other,
                "--base-predictions", predictions, "--tuned-predictions", predictions);

        assertTrue(error.contains("no question of the former edition's 1 items is among the 4 items"), error);
    }
}
