package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each cell of a handbook's table gets a question that names its column and its row. */
class TableQuestionsTest {
    private static ChatExample section(String heading, String text) {
        ChatExample row = ChatExample.of(ChatMessage.user("[fill in: a question about " + heading + "]"),
                ChatMessage.assistant(text));
        return new ChatExample(row.messages(), List.of(), Map.of("heading", heading), row.origin());
    }

    private static List<String> rows(PassageRows made) {
        return made.rows().stream().map(row -> row.messages().get(0).content() + " " + row.messages().get(1).content())
                .toList();
    }

    @Test
    void aCellIsAskedForByItsColumnAndItsRow() {
        PassageRows made = PassageQuestions.byRule(List.of(section("Shifts", "Who works at night sleeps by day.\n\n"
                + "Shift: Night; Start: 21:30; Allowance: 38 EUR\nShift: Early; Start: 6:00; Allowance: none")));
        assertEquals(List.of("[fill in: a question about Shifts] Who works at night sleeps by day.",
                "What is the start of the night shift? The start of the night shift is 21:30.",
                "What is the allowance of the night shift? The allowance of the night shift is 38 EUR.",
                "What is the start of the Early shift? The start of the Early shift is 6:00.",
                "What is the allowance of the Early shift? The allowance of the Early shift is none."), rows(made));
        assertEquals(3, made.statements());
        assertEquals(List.of("Who works at night sleeps by day."), made.unasked().stream().map(
                PassageRows.Unasked::sentence).toList());
        assertEquals("rule", made.rows().get(1).extra().get("generated"));
    }

    @Test
    void questionsNameMoreCellsOfSimilarRowsAndTheHeadingsOfTables() {
        String table = "Shift: Night; Day: Monday; Start: 21:30\nShift: Night; Day: Tuesday; Start: 21:00\n"
                + "Shift: Night; Day: Tuesday; Start: 21:00";
        PassageRows made = PassageQuestions.byRule(List.of(section("North", table), section("South",
                "Shift: Night; Day: Monday; Start: 22:00")));
        assertEquals(List.of("What is the start of the Night shift, Monday? The start of the Night shift, Monday "
                + "is 21:30.",
                "What is listed under Day for the Night shift? Listed under Day for the Night shift: Monday.",
                "What is the start of the Night shift? The start of the Night shift is 22:00."), rows(made));
        assertEquals(4, made.statements());
        assertEquals(List.of("Shift: Night; Day: Tuesday; Start: 21:00", "Shift: Night; Day: Tuesday; Start: 21:00"),
                made.unasked().stream().map(PassageRows.Unasked::sentence).toList());
        List<String> twice = rows(PassageQuestions.byRule(List.of(section("Boats", "Name: Ann; Hook: 7"),
                section("Bikes", "Name: Ann; Hook: 9"))));
        assertEquals(List.of("What is the hook of Ann? The hook of Ann is 7.",
                "What is the hook of Ann (Bikes)? The hook of Ann is 9."), twice);
    }

    @Test
    void germanTablesAreAskedAboutInGerman() {
        assertEquals(List.of("Was steht unter Zulage bei Schicht Nacht? Unter Zulage steht bei Schicht Nacht: 38 EUR."),
                rows(PassageQuestions.byRule(List.of(section("Die Zulage f\u00fcr die Nacht",
                        "Schicht: Nacht; Zulage: 38 EUR\nSchicht: das ist nicht der Tag")))));
    }

    @Test
    void whatARowDoesNotHaveIsListedUnderItsColumn() {
        assertEquals(
                List.of("What is listed under Main library for Monday? Listed under Main library for Monday: closed.",
                        "What is the start of Monday? The start of Monday is 6:30.",
                        "What is the end of Monday? The end of Monday "
                                + "is 8:30."),
                rows(PassageQuestions.byRule(List.of(section("Times", "Day: Monday; Main library: closed; From: 6:30; "
                        + "To: 8:30\nOf the day, to the hour")))));
    }

    @Test
    void attributesWithAMeasureAndNamesOfTwoWordsAreKept() {
        assertEquals(
                List.of("What is the pay per month of the First Mate grade? The pay per month of the First Mate grade "
                        + "is 90 EUR."),
                rows(PassageQuestions.byRule(List.of(section("Pay", "Grade: First Mate; Pay per month: 90 "
                        + "EUR\nIt is for the first of the grades")))).subList(0, 1));
    }
}
