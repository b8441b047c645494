package io.peft4j.eval.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.eval.Evaluation;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.report.ComparisonReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls of tools and JSON answers are judged by what they mean. */
class ToolCheckTest {
    private static final String TOOLS = "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"weather\"}}]";
    private static final String CALL = "{\"messages\": [{\"role\": \"user\", \"content\": \"Rain in Oslo?\"}, "
            + "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"type\": \"function\", \"function\": "
            + "{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Oslo\\\", \\\"days\\\": 2}\"}}]}], " + TOOLS
            + "}";
    private static final String NO_CALL = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}, "
            + "{\"role\": \"assistant\", \"content\": \"Hello!\"}], " + TOOLS + "}";

    @TempDir
    private Path folder;

    private List<EvaluationItem> items(String... rows) throws IOException {
        return EvaluationData.read(Files.write(folder.resolve("rows.jsonl"), List.of(rows)));
    }

    private static Map<String, MetricResult> metrics(ComparisonReport report) {
        return report.metrics().stream().collect(Collectors.toMap(MetricResult::name, metric -> metric));
    }

    private static ComparisonReport report(List<EvaluationItem> items, List<String> base, List<String> tuned) {
        return Evaluation.of(items).answers(ArmAnswers.given("base", "", base)).answers(ArmAnswers.given("tuned", "",
                tuned)).compare(ComparisonOptions.defaults().withResamples(1000));
    }

    @Test
    void callsAreEqualAsJsonInAnyFormOfAModel() throws IOException {
        EvaluationItem item = items(CALL).get(0);
        for (String right : List.of("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"days\": 2.0, \"city\": "
                + "\"Oslo\"}}\n</tool_call>",
                "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\", "
                        + "\"days\": 2}}]",
                "{\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\", \"days\": 2}}",
                "<|tool_call_start|>[weather(city='Oslo', days=2)]<|tool_call_end|>",
                "[TOOL_CALLS]weather[ARGS]{\"city\": \"Oslo\", \"days\": 2}",
                "<think>weather(city='Rome')?</think>\n<start_function_call>call:weather{city:<escape>Oslo<escape>,"
                        + "days:2}<end_function_call>")) {
            assertTrue(item.isAnsweredBy(right), right);
        }
        for (String wrong : List.of("{\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\"}}",
                "In Oslo it rains.",
                "{\"name\": \"news\", \"parameters\": {\"city\": \"Oslo\", \"days\": 2}}",
                "<tool_call>{\"name\": \"weather\"</tool_call>")) {
            assertFalse(item.isAnsweredBy(wrong), wrong);
        }
        assertEquals("weather(city=\"Oslo\", days=2)", item.expected());
        assertEquals("weather(city=\"Rome\")",
                item.shown("<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}</tool_call>"));
    }

    @Test
    void functionArgumentsAndNeedOfACallAreCountedApart() throws IOException {
        String other = "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", "
                + "\"days\": 2}}</tool_call>";
        String right = other.replace("Rome", "Oslo");
        ComparisonReport report = report(items(CALL, CALL, NO_CALL, NO_CALL),
                List.of("It rains.", other, "Hello!", right),
                List.of(right, other, "Hello!", "Hello!"));

        Map<String, MetricResult> metrics = metrics(report);
        assertEquals("tool_call", report.metric());
        assertEquals(0.25, metrics.get("tool_call").base());
        assertEquals(0.75, metrics.get("tool_call").tuned());
        assertEquals(0.5, metrics.get("tool_made").base(), "called where needed");
        assertEquals(1, metrics.get("tool_made").tuned());
        assertEquals(0.5, metrics.get("tool_function").base());
        assertEquals(0.5, metrics.get("tool_arguments").tuned());
        assertEquals(0.5, metrics.get("tool_spared").base(), "called where none was needed");
        assertEquals(2, metrics.get("tool_spared").items());
        assertTrue(report.toMarkdown().contains("expected: weather(city=\"Oslo\", days=2)")
                && report.toMarkdown().contains("tuned: weather(city=\"Rome\", days=2)"), report.toMarkdown());
    }

    @Test
    void fieldsOfAJsonAnswerCountOneByOne() throws IOException {
        String row = "{\"question\": \"Order?\", \"reference\": \"{\\\"id\\\": 7, \\\"paid\\\": true}\", \"format\": "
                + "{\"json_schema\": {\"type\": \"object\", \"required\": [\"id\"]}}}";
        Map<String, MetricResult> metrics = metrics(report(items(row, row), List.of("7", "no JSON"),
                List.of("{\"paid\": true, \"id\": 7.0}", "{\"id\": 8, \"paid\": true}")));

        assertEquals(0, metrics.get("fields").base());
        assertEquals(0.75, metrics.get("fields").tuned());
        assertEquals(0.5, metrics.get("field_id").tuned());
        assertEquals(1, metrics.get("field_paid").tuned());
        assertEquals(0, metrics.get("field_paid").base());
        assertEquals(1, metrics.get("format").tuned());
    }

    @Test
    void aCallWithoutArgumentsIsRefusedWithItsLine() {
        DataException e = assertThrows(DataException.class, () -> items(NO_CALL, CALL.replace("\"arguments\"",
                "\"values\"")));

        assertTrue(e.getMessage().contains("2") && e.getMessage().contains("arguments as a JSON object"),
                e.getMessage());
    }
}
