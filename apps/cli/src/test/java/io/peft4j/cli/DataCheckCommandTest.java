package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The form that programs read, the page that people read, and the exit status. */
class DataCheckCommandTest {
    @TempDir
    Path folder;

    @Test
    void jsonReportHasTheDocumentedForm() throws IOException {
        List<String> rows = new ArrayList<>(numbered(12));
        rows.add(rows.get(3));
        rows.add("{broken");
        Path data = Files.write(folder.resolve("d.jsonl"), rows);
        CommandRun run = CommandRun.of("data", "check", data, "--json");
        assertEquals(1, run.status());
        JsonNode report = run.json().get(0);
        assertEquals(1, run.json().size());
        assertEquals(14, report.get("rows").asInt());
        JsonNode first = report.get("findings").get(0);
        assertEquals("invalid_json", first.get("code").asText());
        assertEquals("error", first.get("severity").asText());
        assertEquals(data.toString(), first.get("file").asText());
        assertEquals("[14]", first.get("lines").toString());
        assertFalse(first.get("message").asText().isBlank());
        JsonNode second = report.get("findings").get(1);
        assertEquals("duplicate", second.get("code").asText());
        assertEquals("[4,13]", second.get("lines").toString());
    }

    @Test
    void namesAreFoundByAModelThatLabelsTokens() throws IOException {
        List<String> rows = new ArrayList<>(numbered(3));
        rows.add(row("the bank in Paris failed Ada", "Ada Lovelace lived in London"));
        Path data = Files.write(folder.resolve("d.jsonl"), rows);
        assertFalse(CommandRun.succeeding("data", "check", data).out().contains("name of a person"));
        CommandRun run = CommandRun.succeeding("data", "check", data, "--names", FIXTURES.resolve(
                "encoders/privacy-filter"));
        assertTrue(run.out().contains("name of a person"), run.out());
        String refused = CommandRun.failing(1, "data", "check", data, "--names", FIXTURES.resolve("tiny-llama"));
        assertTrue(refused.contains("TOKEN_CLS"), refused);
    }

    @Test
    void warningsDoNotFail() throws IOException {
        List<String> rows = new ArrayList<>(numbered(3));
        Path data = Files.write(folder.resolve("d.jsonl"), rows);
        CommandRun run = CommandRun.succeeding("data", "check", data);
        assertTrue(run.out().contains("too_few_examples: 1"), run.out());
        Path wrong = Files.writeString(folder.resolve("wrong.jsonl"), "{");
        CommandRun none = CommandRun.of("data", "check", wrong, "--max-findings", "0");
        assertEquals(1, none.status());
        assertTrue(none.out().contains("invalid_json: 1 (1 row)"), none.out());
        CommandRun.failing(2, "data", "check", data, "--max-findings", "-1");
        Path empty = Files.writeString(folder.resolve("empty.jsonl"), "");
        assertEquals("empty_file", CommandRun.of("data", "check", empty, "--json").json().get(0).get("findings").get(0)
                .get("code").asText());
    }

    @Test
    void withAModelTokensAreCountedAndSupervisedTextIsShown() throws IOException {
        List<String> rows = new ArrayList<>(numbered(11));
        rows.add(row("Tell me all of it <b>now</b>.", "word ".repeat(80) + "end."));
        Path data = Files.write(folder.resolve("d.jsonl"), rows);
        Path page = folder.resolve("report.html");
        CommandRun run = CommandRun.succeeding("data", "check", data, "--json", "--model",
                FIXTURES.resolve("tiny-llama"), "--max-length", "120", "--report", page);
        JsonNode report = run.json().get(0);
        List<String> codes = new ArrayList<>();
        report.get("findings").forEach(f -> codes.add(f.get("code").asText() + f.get("lines")));
        assertTrue(codes.contains("too_long[12]"), codes.toString());
        assertEquals("tokens", report.get("statistics").get("unit").asText());
        JsonNode preview = report.get("statistics").get("previews").get(0);
        assertTrue(preview.get("text").asText().contains("[[It stands on floor 0."), preview.toString());
        String html = Files.readString(page);
        assertTrue(html.contains("<mark>It stands on floor 0."), html);
        assertTrue(html.contains("prefers-color-scheme: dark") && html.contains("<svg"), "plots and both colours");
        assertFalse(html.contains("http://") || html.contains("https://"), "nothing is loaded");
        assertFalse(html.contains("<b>"), "text of the data is no markup");
    }

    @Test
    void wrongUsageIsReported() {
        assertTrue(CommandRun.failing(2, "data").contains("Missing command"));
        assertTrue(CommandRun.failing(2, "data", "check", "x.jsonl", "--max-length", "5").contains("--model"));
        assertTrue(CommandRun.failing(2, "data", "check", "x.jsonl", "--format", "xml")
                .contains("unknown data format"));
        assertTrue(CommandRun.failing(1, "data", "check", folder.resolve("absent.jsonl")).contains("no such file"));
    }

    static List<String> numbered(int count) {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(row("Where is desk " + i + "?", "It stands on floor " + i + "."));
        }
        return rows;
    }

    static String row(String question, String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"" + question + "\"}, {\"role\": \"assistant\", "
                + "\"content\": \"" + answer + "\"}]}";
    }
}
