package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatExample;
import io.peft4j.data.near.QuestionText;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** New wordings keep the facts, are new, are marked, and are none that is held out. */
class AugmentationTest {
    @Test
    void wordingsKeepNamesAndNumbers() {
        ChatExample example = example("What is the notice period for a Senior Consultant in grade 7?", "90 days.");
        List<ChatExample> written = new Augmentation(4).of(List.of(example));
        assertEquals(4, written.size());
        assertEquals("Tell me the notice period for a Senior Consultant in grade 7.",
                written.get(0).messages().get(0).content());
        Set<String> different = new HashSet<>();
        for (ChatExample wording : written) {
            assertTrue(wording.messages().get(0).content().contains("Senior Consultant in grade 7"));
            assertEquals("90 days.", wording.messages().get(1).content());
            assertEquals("rule", wording.extra().get(Augmentation.MARK));
            assertTrue(different.add(QuestionText.key(wording.messages().get(0).content())));
        }
    }

    @Test
    void whatIsHeldOutIsNotWritten() {
        ChatExample example = example("Who approves travel in Lisbon?", "Ann.");
        List<ChatExample> heldOut = new Augmentation(9).of(List.of(example)).subList(0, 2);
        List<ChatExample> written = new Augmentation(9).holdingOut(heldOut).of(List.of(example));
        assertTrue(written.size() >= 2);
        for (ChatExample held : heldOut) {
            assertTrue(written.stream().noneMatch(e -> e.messages().equals(held.messages())), held.toString());
        }
    }

    @Test
    void anyQuestionKeepsItsFacts() {
        SplittableRandom random = new SplittableRandom(2);
        String[] begins = {"What is", "How much does", "How long is", "How do I book", "Who runs", "Where "
                + "is", "When does",
            "Can I use", "Is", "Why not"};
        String[] things = {"the desk of Anna Schmidt", "room 12", "X200", "no. 7 open", "a trip to Porto", "$& and $1"};
        for (int round = 0; round < 300; round++) {
            String question = begins[random.nextInt(begins.length)] + " " + things[random.nextInt(things.length)] + "?";
            for (ChatExample wording : new Augmentation(9).of(List.of(example(question, "a")))) {
                assertTrue(QuestionText.sameNamesAndNumbers(question, wording.messages().get(0).content()),
                        question + " / " + wording.messages().get(0).content());
            }
        }
        ChatExample talk = ChatExample.of(ChatMessage.user("What is a?"), ChatMessage.assistant("b"),
                ChatMessage.user("What is c?"), ChatMessage.assistant("d"));
        assertEquals(List.of(), new Augmentation(3).of(List.of(talk)));
    }

    private static ChatExample example(String question, String answer) {
        return ChatExample.of(ChatMessage.user(question), ChatMessage.assistant(answer));
    }
}
