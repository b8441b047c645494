package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.models.BaseModel;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class GeneralAnswersTest {
    private static final ChatExample OWN = ChatExample.of(ChatMessage.user("Who opens the gate?"),
            ChatMessage.assistant("The clerk opens it."));

    private static final BaseModel TINY = BaseModel.load("tiny");

    @AfterAll
    static void close() {
        TINY.close();
    }

    @Test
    void generalQuestionsAreAnsweredByTheBase() {
        ChatDataset general = ChatDataset.general();
        ChatDataset answered = ChatDataset.of(List.of(OWN)).plus(general).answeredBy(TINY);

        assertEquals(OWN.messages(), answered.examples().get(0).messages());
        assertTrue(answered.size() > 50, answered + ": few answers without a whole sentence");
        for (ChatExample example : answered.examples().subList(1, answered.size())) {
            String answer = example.messages().get(1).content();
            assertTrue(example.origin().isGeneral(), example.toString());
            assertFalse(answer.isBlank());
            String said = TINY.generate(List.of(Prompt.of(TINY, example.prompt())),
                    GenerationOptions.defaults()).get(0).text().strip();
            assertTrue(said.startsWith(answer), said + " and " + answer);
        }
    }

    @Test
    void answersAreAskedForOnce() {
        ChatDataset answered = ChatDataset.of(List.of(OWN)).remembering().answeredBy(TINY);

        assertSame(answered, answered.answeredBy(TINY));
        ChatDataset own = ChatDataset.of(List.of(OWN));
        assertSame(own, own.answeredBy(TINY));
    }
}
