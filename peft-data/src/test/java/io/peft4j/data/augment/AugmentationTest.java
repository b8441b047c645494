package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.ScriptedModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** New wordings keep the facts, are new, are marked, and are none that is held out. */
class AugmentationTest {
    @Test
    void paraphrasesKeepNamesAndNumbers() {
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
    void heldOutQuestionsAreNotGenerated() {
        ChatExample example = example("Who approves travel in Lisbon?", "Ann.");
        List<ChatExample> heldOut = new Augmentation(9).of(List.of(example)).subList(0, 2);
        List<ChatExample> written = new Augmentation(9).holdingOut(heldOut).of(List.of(example));
        assertTrue(written.size() >= 2);
        for (ChatExample held : heldOut) {
            assertTrue(written.stream().noneMatch(e -> e.messages().equals(held.messages())), held.toString());
        }
    }

    @Test
    void modelParaphrasesAreKeptIfTheyAskTheSame() {
        ChatExample example = example("What is the notice period for a Senior Consultant in grade 7?",
                "The notice period is 90 days after probation.");
        List<String> answers = List.of("How long is the notice period of a Senior Consultant in grade 7?",
                "Question: \"For a Senior Consultant in grade 7, which notice period applies?\"\nI hope this helps.",
                "How long is the notice period of a Senior Consultant?",
                "How long is the notice period of a Senior Consultant in grade 8?",
                "Is the notice period of a Senior Consultant in grade 7 longer after probation?",
                "The notice period of a Senior Consultant in grade 7 is long.",
                "What does a Senior Consultant in grade 7 earn?", "",
                "What is a notice period? Who is a Senior Consultant in grade 7?",
                "How long is the NOTICE period of a Senior Consultant in grade 7");
        List<String> asked = new ArrayList<>();
        ScriptedModel model = new ScriptedModel((place, messages) -> {
            asked.add(messages.toString());
            return answers.get(place % answers.size());
        });
        ChatExample heldOut = example("Please tell me which notice period applies for a Senior Consultant in grade 7.",
                "90 days.");
        List<ChatExample> written = new Augmentation(10).with(model).of(List.of(example));
        List<String> byModel = written.stream().filter(e -> e.extra().get(Augmentation.MARK).equals("model"))
                .map(e -> e.messages().get(0).content()).toList();
        assertEquals(List.of("How long is the notice period of a Senior Consultant in grade 7?",
                "For a Senior Consultant in grade 7, which notice period applies?"), byModel);
        assertTrue(written.size() > 2, "rules fill what is left");
        assertTrue(written.stream().allMatch(e -> e.messages().get(1).equals(example.messages().get(1))));
        assertTrue(asked.stream().allMatch(prompt -> prompt.contains("grade 7?")));
        // The same words as a held-out wording, in another order: it would be measured by heart.
        assertEquals(List.of("How long is the notice period of a Senior Consultant in grade 7?"),
                new Augmentation(10).with(model).holdingOut(List.of(heldOut)).of(List.of(example)).stream()
                        .filter(e -> e.extra().get(Augmentation.MARK).equals("model"))
                        .map(e -> e.messages().get(0).content()).toList());
    }

    @Test
    void anyQuestionKeepsItsFacts() {
        SplittableRandom random = new SplittableRandom(2);
        String[] begins = {"What is", "How much does", "How long is", "How do I book", "Who runs", "Where "
                + "is",
            "When does",
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
