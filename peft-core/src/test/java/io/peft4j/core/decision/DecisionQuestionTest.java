package io.peft4j.core.decision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecisionQuestionTest {
    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text.replace('\'', '"'));
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'type': 'choice', 'criteria': {'a': null}} | 1 option; it needs at least 2",
        "{'type': 'choice', 'criteria': ['a', 'b', 'a']} | 'a' appears twice",
        "{'type': 'choice', 'criteria': ['a', ' ']} | has no name",
        "{'type': 'choice'} | must be an object",
        "{'type': 'score', 'criteria': {'a': 'b'}} | must be a list",
        "{'type': 'noul', 'criteria': {'yes': 'b'}} | it has \"true\" and \"false\"",
        "{'type': 'box'} | use one of [choice, score, noul]",
        "{'type': 'noul', 'weight': 2} | unknown key \"weight\"",
        "[] | must be an object"})
    void whatIsNoQuestionIsRefused(String question, String words) {
        String message = assertThrows(ConfigurationException.class, () -> DecisionQuestion.all(json("{'q': "
                + question + "}"))).getMessage();
        assertTrue(message.contains(words) && message.contains("question 'q'"), message);
    }

    @Test
    void threeHundredOptionsAreTooMany() {
        List<String> options = IntStream.range(0, 300).mapToObj(String::valueOf).toList();
        String message = assertThrows(ConfigurationException.class, () -> DecisionQuestion.choice("Which?", options))
                .getMessage();
        assertEquals("a question has 300 options; it needs at least 2 and has at most 255", message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"{'state': null, 'questions': {}} | must be a text",
        "{'state': 'a', 'questions': {}} | at least one question", "{'questions': {}} | \"state\" is missing"})
    void whatIsNoRequestIsRefused(String request, String words) {
        String message = assertThrows(ConfigurationException.class,
                () -> DecisionRequest.of(json(request.contains("null") ? "{'state': null, 'questions': {'q': "
                        + "{'type': 'noul'}}}" : request)))
                .getMessage();
        assertTrue(message.contains(words), message);
    }

    @Test
    void questionsAreWrittenAsTheyWereRead() {
        for (String text : List.of("{'type':'choice','instructions':{'a':1},'criteria':{'x':null,'y':['z']}}",
                "{'type':'score','instructions':null,'criteria':['low','high']}",
                "{'type':'noul','instructions':'Is it?','criteria':{'false':null,'true':'paid'}}")) {
            assertEquals(json(text), DecisionQuestion.of(json(text)).toJson());
        }
    }

    /** As Python 3.11 writes it: json.dumps(value, ensure_ascii=False). */
    @Test
    void jsonIsWrittenAsPythonDoes() {
        assertEquals("{\"a\": [1, 2.5, 1e-07, 1e+22, 1.2345678901234568e+17, 0.0001, 1e+16, true, null], "
                + "\"\u00e9\\\"\": \"x\\n\\u0001\\\\/\"}",
                PythonJson.text(json("{'a': [1, 2.5, 1e-7, 1e22, 123456789012345680.0, 0.0001, 1e16, true, null], "
                        + "'\u00e9\\'': 'x\\n\\u0001\\\\/'}")));
        assertEquals("as it is", PythonJson.text(json("'as it is'")));
    }

    @Test
    void confidenceIsThatOfTransformers() {
        DecisionQuestion choice = DecisionQuestion.choice("", List.of("a", "b", "c", "d"));
        assertEquals((0.7 - 0.25) / 0.75, new DecisionAnswer(choice, List.of(0.1, 0.7, 0.1, 0.1), false).confidence(),
                1e-12);
        DecisionAnswer score = new DecisionAnswer(DecisionQuestion.score("", List.of("x", "y", "z")),
                List.of(0.2, 0.3, 0.5), false);
        assertEquals(0, score.confidence());
        assertEquals(1 - (0.1 * 2 + 0.1) / (2.0 / 3), new DecisionAnswer(score.question(), List.of(0.1, 0.1, 0.8),
                false).confidence(), 1e-12);
        assertEquals(1.3, score.score(), 1e-12);
        assertEquals("a", new DecisionAnswer(choice, List.of(0.25, 0.25, 0.25, 0.25), false).choice());
    }

    @Test
    void aQuestionsOwnCalibrationComesBeforeThatOfItsKind() {
        DecisionQuestion question = DecisionQuestion.choice("Which?", List.of("a", "b"));
        DecisionCalibration fitted = new DecisionCalibration(List.of(new DecisionCalibration.Entry("choice", "Which?",
                List.of("a", "b"), "bias", "", 9, List.of(1.0, 1.0), List.of(0.0, 2.0), List.of(), List.of(),
                List.of(), List.of(new DecisionCalibration.Conformal(0.9, 0.8)))));
        DecisionSettings settings = DecisionSettings.DEFAULT.withFitted(Map.of("choice", 4.0, "choice:2", 2.0), fitted);
        assertEquals(1 / (1 + Math.exp(2 - 1)), settings.probabilities(question, 1, 0)[0], 1e-12);
        DecisionQuestion other = DecisionQuestion.choice("Other?", List.of("a", "b"));
        assertEquals(1 / (1 + Math.exp(-0.5)), settings.probabilities(other, 1, 0)[0], 1e-12);
        DecisionQuestion three = DecisionQuestion.choice("Other?", List.of("a", "b", "c"));
        double[] quarter = settings.probabilities(three, 4, 0, 0);
        assertEquals(Math.E / (Math.E + 2), quarter[0], 1e-12);
        assertEquals(List.of("b", "a"), fitted.set(new DecisionAnswer(question, List.of(0.3, 0.7), false), 0.9));
        assertEquals(List.of("b"), fitted.set(new DecisionAnswer(question, List.of(0.1, 0.9), false), 0.9));
    }
}
