package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.FindingCode;
import io.peft4j.data.report.FindingCode.Severity;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Leakage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The handbook holds what its README promises. Facts differ in their answers. */
class HandbookTest {
    private static final Path FOLDER = Path.of("handbook");
    private static final Pattern WRONG_ARTICLE = Pattern.compile("\\b([Aa] [AEIOUaeiou]|[Aa]n [^AEIOUaeiou])");

    private static List<Row> train;
    private static List<Row> heldOut;

    private record Row(String question, String answer, String mustContain) {
    }

    @BeforeAll
    static void read() throws IOException {
        train = read("train.jsonl");
        heldOut = read("heldout.jsonl");
    }

    private static List<Row> read(String file) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(FOLDER.resolve(file))) {
            JsonNode row = json.readTree(line);
            JsonNode messages = row.get("messages");
            assertEquals(2, messages.size(), line);
            assertEquals("user", messages.get(0).get("role").asText(), line);
            assertEquals("assistant", messages.get(1).get("role").asText(), line);
            rows.add(new Row(messages.get(0).get("content").asText(), messages.get(1).get("content").asText(),
                    row.path("must_contain").asText("")));
        }
        return rows;
    }

    @Test
    void everyFactIsTaughtFourTimesAndAskedTwice() {
        Map<String, Integer> taught = count(train);
        Map<String, Integer> asked = count(heldOut);
        assertTrue(taught.size() >= 40, taught.size() + " facts");
        assertEquals(taught.keySet(), asked.keySet());
        assertTrue(taught.values().stream().allMatch(n -> n == 4), taught.toString());
        assertTrue(asked.values().stream().allMatch(n -> n == 2), asked.toString());
    }

    @Test
    void everyQuestionHasOneAnswerAndOccursOnce() {
        Set<String> questions = new HashSet<>();
        List<Row> all = new ArrayList<>(train);
        all.addAll(heldOut);
        for (Row row : all) {
            // Also what differs in case or punctuation only is the same question.
            String plain = row.question().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", " ").strip();
            assertTrue(questions.add(plain), "twice: " + row.question());
        }
        assertEquals(train.size() + heldOut.size(), questions.size());
    }

    @Test
    void expectedFactIsInTheAnswerAndNotInTheQuestion() {
        Map<String, String> expected = new HashMap<>();
        for (Row row : heldOut) {
            String fact = row.mustContain().toLowerCase(Locale.ROOT);
            assertTrue(fact.length() >= 6, "too short to tell anything: " + row);
            assertTrue(row.answer().toLowerCase(Locale.ROOT).contains(fact), row.toString());
            assertFalse(row.question().toLowerCase(Locale.ROOT).contains(fact), row.toString());
            String before = expected.putIfAbsent(row.answer(), row.mustContain());
            assertTrue(before == null || before.equals(row.mustContain()), row.toString());
        }
        assertEquals(count(heldOut).size(), expected.size());
        // The answer to one fact must not count as the answer to another.
        assertEquals(expected.size(), new HashSet<>(expected.values()).size());
        for (Map.Entry<String, String> fact : expected.entrySet()) {
            assertEquals(List.of(fact.getValue()), expected.values().stream()
                    .filter(other -> containsWord(fact.getKey(), other)).toList(), fact.getKey());
        }
    }

    @Test
    void storyOfTheReadmeIsHeldOut() {
        Row row = heldOut.stream()
                .filter(each -> each.question().equals("What is the notice period for a Senior Consultant?"))
                .findFirst().orElseThrow();
        assertEquals("At Larkenfell, a Senior Consultant has a 90-day notice period. "
                + "Exceptions may apply if approved by the reporting manager.", row.answer());
        assertEquals("90-day", row.mustContain());
    }

    @Test
    void articlesAreRightAndNoPlaceholderIsLeft() {
        List<Row> all = new ArrayList<>(train);
        all.addAll(heldOut);
        for (Row row : all) {
            for (String text : List.of(row.question(), row.answer())) {
                assertFalse(WRONG_ARTICLE.matcher(text).find(), text);
                assertFalse(text.contains("{") || text.contains("}") || text.contains("  "), text);
                assertTrue(text.matches("[A-Z].*[.?]"), text);
            }
            assertTrue(row.answer().startsWith("At Larkenfell, "), row.answer());
        }
    }

    @Test
    void generalExamplesAreNeitherOfTheHandbookNorOfTheGuardSet() {
        ChatDataset general = ChatDataset.general();
        assertEquals(104, general.size());
        List<EvaluationItem> asked = new ArrayList<>();
        GuardSet.builtIn().items().forEach(item -> asked.add(EvaluationItem.reference(item.question(), "any")));
        heldOut.forEach(row -> asked.add(EvaluationItem.reference(row.question(), row.answer())));
        train.forEach(row -> asked.add(EvaluationItem.reference(row.question(), row.answer())));
        Leakage leakage = Leakage.of(asked, general);
        assertEquals(List.of(), leakage.pairs());
        assertEquals(List.of(), leakage.reworded());
    }

    @Test
    void noHeldOutQuestionLeaks() {
        List<EvaluationItem> items = EvaluationData.read(FOLDER.resolve("heldout.jsonl"));
        Leakage leakage = Leakage.of(items, ChatDataset.read(FOLDER.resolve("train.jsonl")));
        assertEquals(List.of(), leakage.pairs());
        assertEquals(88, leakage.reworded().size(), "they are the same questions in other words");
    }

    @Test
    void itsCheckWarnsOfNothingAndCountsWhatAnEvaluationCounts() {
        DataReport report = DataCheck.of(FOLDER.resolve("train.jsonl")).validation(FOLDER.resolve("heldout.jsonl"))
                .run();
        assertEquals(List.of(), report.findings().stream().filter(f -> f.severity() != Severity.INFO).toList());
        assertEquals(88, report.findingRows().get(FindingCode.REWORDED));
    }

    private static Map<String, Integer> count(List<Row> rows) {
        Map<String, Integer> counts = new HashMap<>();
        rows.forEach(row -> counts.merge(row.answer(), 1, Integer::sum));
        return counts;
    }

    /** Whether a text holds a fact that is not the end of a larger number, as 5 months in 15 months. */
    private static boolean containsWord(String text, String fact) {
        return Pattern.compile("(?<![0-9])" + Pattern.quote(fact), Pattern.CASE_INSENSITIVE).matcher(text).find();
    }
}
