package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.task.Answerer;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Golden questions in an application's own tests: they fail as an assertion that says what is wrong. */
class GoldenQuestionsTest {
    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(6);
    private static final String RIGHT = "What is the notice period?";
    private static final String WRONG = "Who approves leave?";

    private static BaseModel model;
    private static String rows;

    @BeforeAll
    static void load() {
        model = BaseModel.load("../tests/fixtures/tiny-llama");
        String said = model.generate(List.of(Prompt.chat(List.of(ChatMessage.user(RIGHT)))), OPTIONS).get(0).text();
        String fact = com.fasterxml.jackson.databind.node.TextNode.valueOf(said.strip()).toString();
        rows = "{\"question\": \"" + RIGHT + "\", \"must_contain\": " + fact + "}\n"
                + "{\"question\": \"" + WRONG + "\", \"must_contain\": \"no model says this\"}\n";
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void wrongAnswersAreListed(@TempDir Path folder) throws IOException {
        GoldenQuestions golden = GoldenQuestions.read(Files.writeString(folder.resolve("golden.jsonl"), rows));
        Answerer answerer = Answerer.of(model).options(OPTIONS);
        golden.assertAnsweredBy(answerer, 0.5);
        AssertionError error = assertThrows(AssertionError.class, () -> golden.assertAnsweredBy(answerer, 1));
        assertTrue(error.getMessage().startsWith("1 of 2 golden questions are answered right"), error.getMessage());
        assertTrue(error.getMessage().contains(WRONG) && error.getMessage().contains("no model says this")
                && !error.getMessage().contains(RIGHT), error.getMessage());
        assertEquals(1, error.getMessage().split("expected: ", -1).length - 1, "one question is wrong");
        assertThrows(AssertionError.class, () -> golden.assertAnsweredBy(model));
    }

    @Test
    void aTestNeedsQuestions() {
        assertThrows(IllegalArgumentException.class, () -> GoldenQuestions.of(List.of()));
    }
}
