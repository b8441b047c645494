package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.ScriptedModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
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

    /** What a model says to the last message of a prompt. */
    private static List<String> questions(UnaryOperator<String> model, ChatExample... rows) {
        List<ChatExample> made = new PassageQuestions(new ScriptedModel(messages -> model.apply(
                messages.get(messages.size() - 1).content())), 1, 0).of(List.of(rows));
        List<String> told = new ArrayList<>();
        made.forEach(row -> told.add(row.messages().get(0).content() + " " + row.messages().get(1).content()));
        assertTrue(made.stream().allMatch(row -> row == ASKED || row.extra().get("generated").equals("model")));
        return told;
    }

    @Test
    void eachSentenceThatTellsAFactGetsAQuestion() {
        ChatExample section = section("Canteen", "The canteen opens at 11:40. We like it. Lunch costs 5 euros.");
        assertEquals(List.of("Who pays? Ann.", "When does the canteen open? The canteen opens at 11:40.",
                "How much does lunch cost? Lunch costs 5 euros."), questions(asked -> {
                    if (asked.startsWith("Write the question")) {
                        return asked.contains("opens") ? "When does the canteen open?\nI hope so."
                                : "How much does lunch cost?";
                    }
                    return asked.contains("open?") ? "At 11:40." : "It is 5 euros.";
                }, ASKED, section));
    }

    @Test
    void aQuestionWhoseAnswerIsNotReadOutOfTheTextIsDropped() {
        ChatExample section = section("Canteen", "The canteen opens at 11:40. It closes at 14:10 each day.");
        UnaryOperator<String> model = asked -> asked.startsWith("Write") ? "When does the canteen open?" : "At 14:10.";
        assertEquals(List.of("Who pays? Ann."), questions(model, ASKED, section));
        // A question that gives the answer away, or asks for something else, is not even asked.
        assertEquals(List.of(), questions(asked -> asked.startsWith("Write") ? "Does the canteen open at 11:40?"
                : "At 11:40.", section));
        assertEquals(List.of(), questions(asked -> asked.startsWith("Write") ? "When does the pool open?"
                : "At 11:40.", section));
    }

    @Test
    void germanPassagesAreAskedAboutInGerman() {
        ChatExample section = section("Kantine", "Die Kantine ist von 11 Uhr an f\u00fcr alle ge\u00f6ffnet.");
        List<String> seen = new ArrayList<>();
        assertEquals(List.of("Ab wann ist die Kantine f\u00fcr alle ge\u00f6ffnet? Die Kantine ist von 11 Uhr an "
                + "f\u00fcr "
                + "alle ge\u00f6ffnet."), questions(asked -> {
                    seen.add(asked);
                    return asked.startsWith("Schreibe") ? "Ab wann ist die Kantine f\u00fcr alle ge\u00f6ffnet?"
                            : "Von 11 Uhr an.";
                }, section));
        assertTrue(seen.stream().anyMatch(asked -> asked.startsWith("Lies diesen Text.")), seen.toString());
    }

    @Test
    void drawsAreCountedFromZero() {
        assertThrows(ConfigurationException.class, () -> new PassageQuestions(new ScriptedModel(asked -> ""), -1, 0));
    }
}
