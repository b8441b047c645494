package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.Finding;
import io.peft4j.data.report.FindingCode;
import io.peft4j.data.report.FindingCode.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Headings that are questions are questions, all others are left for people, and what they left is not learned. */
class UnfilledRowsTest {
    private static final String HANDBOOK = "# Handbook\n\n### How do I report sick leave?\n\nCall before 9:15.\n\n"
            + "## Leave\n\nYou have 30 days.\n";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "How do I report sick leave? | How do I report sick leave?",
        "1.2 How do I report sick leave? | How do I report sick leave?",
        "Q: Who pays? | Who pays?", "3) Wie melde ich mich krank? | Wie melde ich mich krank?",
        "How to book a flight | How do I book a flight?",
        "Sick leave | [fill in: a question about Handbook, Sick leave]",
        "? | [fill in: a question about Handbook, ?]"})
    void aHeadingThatIsAQuestionIsTheQuestion(String heading, String question) throws IOException {
        Path file = Files.writeString(folder.resolve("h.md"), "# Handbook\n\n## " + heading + "\n\nSo it is.\n");
        try (ExampleReader reader = ExampleReader.open(file)) {
            ChatExample row = reader.stream().findFirst().orElseThrow().toChat().orElseThrow();
            assertEquals(question, row.messages().get(0).content());
            assertEquals("So it is.", row.messages().get(1).content());
        }
    }

    @Test
    void rowsThatNobodyHasFilledInAreAnErrorOfATraining() throws IOException {
        Path handbook = Files.writeString(folder.resolve("h.md"), HANDBOOK);
        Path rows = folder.resolve("rows.jsonl");
        try (ExampleReader reader = ExampleReader.open(handbook);
                ExampleWriter writer = ExampleWriter.open(rows, DataFormat.CHAT)) {
            reader.stream().forEach(writer::write);
            writer.commit();
        }
        DataException wrong = assertThrows(DataException.class, () -> ChatDataset.read(rows));
        assertEquals(2, wrong.line());
        assertTrue(wrong.getMessage().contains("the question is not filled in: '[fill in: a question about Handbook, "
                + "Leave]'"), wrong.getMessage());
        DataReport report = DataCheck.of(rows).run();
        List<Finding> found = report.findings().stream().filter(f -> f.code() == FindingCode.UNFILLED_ROW).toList();
        assertEquals(1, found.size());
        assertEquals(Severity.ERROR, found.get(0).severity());
        assertEquals(List.of(2L), found.get(0).lines());
        assertTrue(found.get(0).texts().get(0).contains("You have 30 days."), found.toString());
        assertTrue(report.hasErrors());
        Files.writeString(rows, Files.readString(rows).replace("[fill in: a question about Handbook, Leave]",
                "How many days of leave do I have?"));
        assertEquals(2, ChatDataset.read(rows).size());
    }

    /** What reads rows to learn makes them of a document, so that nothing is left to fill in. */
    @Test
    void aDocumentIsReadAsRowsWithQuestionsInSeveralWordings() throws IOException {
        Path handbook = Files.writeString(folder.resolve("h.md"), HANDBOOK);
        ChatDataset rows = ChatDataset.read(handbook);
        assertEquals(5, rows.size(), asked(rows).toString());
        assertEquals("How do I report sick leave?", asked(rows).get(0));
        assertTrue(rows.stream().allMatch(row -> row.messages().get(1).content().equals("Call before 9:15.")
                && row.extra().containsKey("heading")), "no rule asks for the days of leave");
        assertEquals(0, DataCheck.of(handbook).run().findings().stream()
                .filter(found -> found.code() == FindingCode.UNFILLED_ROW).count());
    }

    @Test
    void oneWordingOfEachFactIsHeldOutAndNoRowAsksInItsWords() throws IOException {
        Path first = Files.writeString(folder.resolve("a.md"), HANDBOOK);
        Files.writeString(folder.resolve("b.md"), HANDBOOK);
        for (Path data : List.of(first, folder)) {
            ChatDataset rows = ChatDataset.read(data);
            for (int seed = 0; seed < 8; seed++) {
                ChatDataset.Split split = rows.splitWordings(seed);
                assertTrue(split.test().size() > 0, "of " + data);
                assertEquals(rows.size(), split.train().size() + split.test().size());
                Set<String> learned = split.train().stream().map(row -> QuestionText.wording(row.messages().get(0)
                        .content())).collect(Collectors.toSet());
                assertTrue(asked(split.test()).stream().map(QuestionText::wording).noneMatch(learned::contains),
                        asked(split.test()).toString());
                assertEquals(asked(split.test()), asked(rows.splitWordings(seed).test()));
            }
        }
    }

    private static List<String> asked(ChatDataset rows) {
        return rows.stream().map(row -> row.messages().get(0).content()).toList();
    }
}
