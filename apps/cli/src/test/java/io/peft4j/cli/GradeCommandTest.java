package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers are graded on the command line, and as a metric of an evaluation. */
class GradeCommandTest {
    @TempDir
    Path folder;

    private Path grader;

    @BeforeEach
    void writeGrader() throws IOException {
        grader = Files.writeString(folder.resolve("grader.json"), """
                {"type": "multi", "calculate_output": "0.5 * holds + 0.5 * near", "graders": {
                  "holds": {"type": "string_check", "operation": "like", "input": "{{sample.output_text}}",
                            "reference": "{{item.answer}}"},
                  "near": {"type": "text_similarity", "evaluation_metric": "fuzzy_match",
                           "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}}}
                """);
    }

    @Test
    void eachRowHasARewardWithItsParts() throws IOException {
        Path data = Files.write(folder.resolve("data.jsonl"), List.of(
                "{\"item\": {\"answer\": \"90\"}, \"sample\": {\"output_text\": \"90\"}}",
                "{\"item\": {\"answer\": \"90\"}, \"sample\": {\"output_text\": \"60\"}}",
                "{\"item\": {\"other\": \"90\"}, \"sample\": {\"output_text\": \"60\"}}"));
        CommandRun run = CommandRun.of("grade", "--grader", grader, "--data", data, "--json");
        assertEquals(1, run.status());
        assertEquals(List.of("{\"reward\":1.0,\"parts\":{\"holds\":1.0,\"near\":1.0}}",
                "{\"reward\":0.25,\"parts\":{\"holds\":0.0,\"near\":0.5}}",
                "{\"reward\":null,\"error\":\"the grader fails: the item has no 'answer'; it has [other] "
                        + "(data.jsonl:3)\"}"),
                run.out().strip().lines().toList());
        assertTrue(run.err().contains("1 of 3 answers could not be graded"), run.err());
    }

    @Test
    void theRewardDecidesAnEvaluation() throws IOException {
        Path data = folder.resolve("held.jsonl");
        StringBuilder rows = new StringBuilder();
        StringBuilder base = new StringBuilder();
        StringBuilder tuned = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            rows.append("{\"question\": \"What is " + i + " plus 1?\", \"answer\": \"" + (i + 1) + "\"}\n");
            base.append("{\"text\": \"I do not know.\"}\n");
            tuned.append("{\"text\": \"It is " + (i + 1) + ".\"}\n");
        }
        Files.writeString(data, rows);
        CommandRun run = CommandRun.succeeding("evaluate", "--data", data, "--grader", grader, "--base-predictions",
                Files.writeString(folder.resolve("base.jsonl"), base), "--tuned-predictions",
                Files.writeString(folder.resolve("tuned.jsonl"), tuned), "--json");
        assertTrue(run.out().contains("\"reward\""), run.out());
        assertTrue(run.out().contains("\"deciding_metric\":\"reward\""), run.out());
    }
}
