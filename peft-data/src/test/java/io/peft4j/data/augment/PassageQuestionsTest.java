package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.ScriptedModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.UnfilledRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Questions that a model writes are kept where they ask for what a sentence tells and it finds the answer there. */
class PassageQuestionsTest {
    private static final ChatExample ASKED = ChatExample.of(ChatMessage.user("Who pays?"),
            ChatMessage.assistant("Ann."));

    private static ChatExample section(String heading, String text) {
        ChatExample row = ChatExample.of(ChatMessage.user("[fill in: a question about " + heading + "]"),
                ChatMessage.assistant(text));
        return new ChatExample(row.messages(), List.of(), Map.of("heading", heading), row.origin());
    }

    private static PassageRows asked(UnaryOperator<String> model, ChatExample... rows) {
        return new PassageQuestions(new ScriptedModel(messages -> model.apply(
                messages.get(messages.size() - 1).content()))).of(List.of(rows));
    }

    /** The rows beside those by rule; the model is what it says to the last message of a prompt. */
    private static List<String> questions(UnaryOperator<String> model, ChatExample... rows) {
        List<ChatExample> made = asked(model, rows).rows().stream().filter(row -> UnfilledRows.unfilled(row).isEmpty()
                && !"rule".equals(row.extra().get("generated"))).toList();
        List<String> told = new ArrayList<>();
        made.forEach(row -> told.add(row.messages().get(0).content() + " " + row.messages().get(1).content()));
        assertTrue(made.stream().allMatch(row -> row == ASKED || row.extra().get("generated").equals("model")));
        return told;
    }

    @Test
    void aPlainSentenceThatTheModelAsksNothingForIsAskedForByRule() {
        ChatExample section = section("Boats", "The old boat leaves at 11:40. The new boat leaves at 12:10. "
                + "Boats, says Ann, must be back before 19:45.");
        List<ChatExample> rows = asked(asked -> "Hm.", section).rows();
        assertEquals(List.of("When does the old boat leave?", "When does the new boat leave?",
                "[fill in: a question about Boats]"),
                rows.stream().map(row -> row.messages().get(0).content())
                        .toList());
        assertEquals("rule", rows.get(0).extra().get("generated"));
        assertEquals("The old boat leaves at 11:40.", rows.get(0).messages().get(1).content());
    }

    @Test
    void withoutAModelWhatNoRuleAsksForStaysToFillIn() {
        ChatExample half = section("Boats", "The old boat leaves at 11:40. Boats, says Ann, return by 19:45.");
        ChatExample whole = section("Keys", "The canteen opens at 8:10.");
        PassageRows made = PassageQuestions.byRule(List.of(half, whole));
        assertEquals(List.of("When does the old boat leave?", "[fill in: a question about Boats]",
                "When does the canteen open?"),
                made.rows().stream().map(row -> row.messages().get(0).content()).toList());
        assertEquals(half.messages(), made.rows().get(1).messages());
        assertEquals(List.of("no model was asked for a question"), made.unasked().stream().map(
                PassageRows.Unasked::reason).toList());
    }

    @Test
    void eachSentenceThatTellsAFactGetsAQuestion() {
        ChatExample section = section("Canteen",
                "The canteen, he says, opens at 11:40. We like it. Lunch, he says, costs 5 euros.");
        assertEquals(List.of("Who pays? Ann.", "When does the canteen open? The canteen, he says, opens at 11:40.",
                "How much does lunch cost? Lunch, he says, costs 5 euros."), questions(asked -> switch (asked) {
                    case "Ask with \"When\" for what is missing here: The canteen, he says, opens at ___." ->
                        "When does the canteen open?\nI hope so.";
                    case "Ask with \"What is\" for what is missing here: Lunch, he says, costs ___ euros." ->
                        "What is lunch?";
                    case "Ask with \"How much\" for what is missing here: Lunch, he says, costs ___ euros." ->
                        "How much does lunch cost?";
                    default -> asked.contains("open?") ? "At 11:40." : asked.contains("cost?") ? "It is 5 euros."
                            : "I do not know.";
                }, ASKED, section));
    }

    @Test
    void aQuestionWhoseAnswerIsNotReadOutOfTheSentenceIsDropped() {
        ChatExample section = section("Canteen", "The canteen opens at 11:40. It closes at 14:10 each day.");
        UnaryOperator<String> model = asked -> asked.startsWith("Ask") ? "When does the canteen open?" : "At 14:10.";
        assertEquals(List.of("Who pays? Ann."), questions(model, ASKED, section));
        // A question that gives the answer away, asks for something else or begins otherwise is not even asked.
        for (String bad : List.of("When does the canteen open at 11:40?", "When does the pool open?",
                "At what time does the canteen open?")) {
            assertEquals(List.of(), questions(asked -> asked.startsWith("Ask") ? bad : "At 11:40.", section));
        }
    }

    @Test
    void everySentenceIsARowOrToldWithItsReason() {
        ChatExample section = section("Canteen",
                "The canteen, he says, opens at 11:40. We like it a lot. Cook says: hi.\n"
                        + "Grade: Cook; Pay: 2,150 EUR\nThe old canteen closes at 14:10. "
                        + "The new canteen, she says, closes at 15:10.");
        PassageRows made = asked(asked -> !asked.startsWith("Ask") ? "At 14:10."
                : asked.contains("opens") ? "When does the canteen open the the door?"
                        : asked.contains("old") ? "When does the old canteen close?" : "Hm.",
                ASKED, section);
        List<String> rows = made.rows().stream().map(row -> row.messages().get(0).content() + " "
                + row.messages().get(1).content()).toList();
        String open = "[fill in: a question about Canteen] ";
        assertEquals(List.of("Who pays? Ann.", open + "The canteen, he says, opens at 11:40.",
                open + "Grade: Cook; Pay: 2,150 EUR",
                "When does the old canteen close? The old canteen closes at 14:10.",
                open + "The new canteen, she says, closes at 15:10."), rows);
        assertEquals(List.of("We like it a lot. it contains no number and no name", "Cook says: hi. it has 3 words; "
                + "supported are 4 to 40"), told(made, false));
        assertEquals(List.of(
                "The canteen, he says, opens at 11:40. of 'When does the canteen open the the door?': it is about "
                        + "something else",
                "Grade: Cook; Pay: 2,150 EUR of 'Hm.': it does not begin with 'What is'",
                "The new canteen, she says, closes at 15:10. of 'Hm.': it does not begin with 'When'"),
                told(made, true));
    }

    private static List<String> told(PassageRows made, boolean toFillIn) {
        return made.unasked().stream().filter(one -> one.toFillIn() == toFillIn).map(one -> one.sentence() + " "
                + one.reason()).toList();
    }

    @Test
    void aQuestionThatFitsAnotherSentenceOfTheSectionIsDropped() {
        ChatExample section = section("Canteen",
                "The old canteen, he says, opens at 11:40. The new canteen, he says, opens at 12:00.");
        assertEquals(List.of("When does the new canteen open? The new canteen, he says, opens at 12:00."),
                questions(asked -> {
                    if (asked.startsWith("Ask")) {
                        return asked.contains("old") ? "When does the canteen open?"
                                : "When does the new canteen open?";
                    }
                    return asked.contains("old") ? "At 11:40." : "At 12:00.";
                }, section));
    }

    @Test
    void germanPassagesAreAskedAboutInGerman() {
        ChatExample section = section("Kantine",
                "Die Kantine ist, wie er sagt, ab 11 Uhr f\u00fcr alle ge\u00f6ffnet.");
        List<String> seen = new ArrayList<>();
        assertEquals(
                List.of("Ab wann ist die Kantine f\u00fcr alle ge\u00f6ffnet? Die Kantine ist, wie er sagt, ab 11 Uhr "
                        + "f\u00fcr alle ge\u00f6ffnet."),
                questions(asked -> {
                    seen.add(asked);
                    return asked.startsWith("Frage mit \"Ab wann\"")
                            ? "Ab wann ist die Kantine f\u00fcr alle ge\u00f6ffnet?" : "Ab 11 Uhr.";
                }, section));
        assertTrue(seen.get(seen.size() - 1).startsWith("Lies diesen Text."), seen.toString());
    }
}
