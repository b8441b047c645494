package io.peft4j.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.Grader.Grade;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.Graders;
import io.peft4j.data.grader.Grading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Graders as OpenAI's JSON objects have them. */
class GradersTest {
    private static final Map<String, Object> ITEM = Map.of("answer", "90 days", "n", 3, "list",
            List.of(Map.of("name", "Ada")));

    private static double grade(String json, String answer) {
        return Graders.parse(json, GraderTools.NONE).grade(ITEM, answer);
    }

    private static String check(String operation, String input, String reference) {
        return "{\"type\": \"string_check\", \"name\": \"s\", \"operation\": \"" + operation + "\", \"input\": \""
                + input
                + "\", \"reference\": \"" + reference + "\"}";
    }

    @ParameterizedTest
    @CsvSource({"eq,90 days,1", "eq,90 Days,0", "ne,90 days,0", "ne,x,1", "like,It is 90 days.,1", "like,90,0",
        "ilike,It is 90 DAYS.,1"})
    void stringsAreCompared(String operation, String answer, double expected) {
        assertEquals(expected, grade(check(operation, "{{sample.output_text}}", "{{ item.answer }}"), answer));
    }

    @Test
    void templatesReachIntoItemsAndJsonAnswers() {
        String answer = "{\"who\": {\"names\": [\"Bob\", \"Ada\"]}, \"n\": 3}";
        assertEquals(1, grade(check("eq", "{{sample.output_json.who.names[1]}}", "{{item.list[0].name}}"), answer));
        assertEquals(1, grade(check("eq", "{{sample.output_json.n}}", "{{item.n}}"), answer));
        assertEquals(0, grade(check("eq", "{{sample.output_json.n}}", "{{item.n}}"), "no JSON"));
        assertEquals(1, grade(check("eq", "{{item.list}}", "[{\\\"name\\\":\\\"Ada\\\"}]"), ""));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[0].function.name | hire", "[1].function.name | pay", "[0].function.arguments.who | Ada",
        "[0].function.arguments | {\"who\":\"Ada\",\"n\":3}", "[2].function.name | ``", "[0].type | function"})
    void templatesReachIntoTheCallsOfAnAnswer(String path, String expected) {
        String answer = "Sure. <tool_call>{\"name\": \"hire\", \"arguments\": {\"who\": \"Ada\", \"n\": 3}}</tool_call>"
                + "<tool_call>{\"name\": \"pay\", \"arguments\": {}}</tool_call>";
        assertEquals(expected, new GraderTemplate("{{sample.output_tools" + path + "}}").fill(ITEM, answer));
        assertEquals("[]", new GraderTemplate("{{sample.output_tools}}").fill(ITEM, "90 days"), "no call");
    }

    private static void assertRefused(String json, String... words) {
        String message = assertThrows(ConfigurationException.class, () -> grade(json, "x")).getMessage();
        for (String word : words) {
            assertTrue(message.contains(word), message);
        }
    }

    @Test
    void whatIsWrongIsSaidWithTheGradersName() {
        assertRefused(check("equals", "a", "b"), "string_check grader 's'", "'equals'", "[eq, ne, like, ilike]");
        assertRefused(check("eq", "{{sample.choices}}", "b"), "{{sample.choices}}", "{{sample.output_text}}");
        assertRefused(check("eq", "{{item.missing}}", "b"), "no 'missing'", "answer");
        assertRefused("{\"type\": \"strings\"}", "'strings'", "text_similarity");
        assertRefused("{\"type\": \"python\", \"source\": \"\"}", "Python", "multi", "(item, answer) -> score");
        assertRefused("{\"type\": \"string_check\", \"operation\": \"eq\", \"input\": \"\", \"reference\": \"\", "
                + "\"referense\": 1}", "unknown keys [referense]");
        assertRefused("[1", "JSON object");
        assertRefused("{\"type\": \"text_similarity\", \"evaluation_metric\": \"rouge_6\", \"input\": \"\", "
                + "\"reference\": \"\"}", "'rouge_6'", "rouge_5", "cosine");
    }

    private static String multi(String formula) {
        return "{\"type\": \"multi\", \"name\": \"both\", \"graders\": {\"same\": " + check("eq",
                "{{sample.output_text}}", "{{item.answer}}")
                + ", \"near\": {\"type\": \"text_similarity\", \"evaluation_metric\": "
                + "\"fuzzy_match\", \"input\": \"{{sample.output_text}}\", \"reference\": \"{{item.answer}}\"}}, "
                + "\"calculate_output\": \"" + formula + "\"}";
    }

    /** For "90 days!" same is 0 and near 14/15. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"0.25 * same + 0.75 * near; 0.7", "2 ^ 3 ^ 2 + same; 512", "-2 ^ 2; -4",
        "max(same, near, 0.5) * 15; 14", "min(same, near) - 1; -1", "abs(-3) + floor(1.9) + ceil(0.1); 5",
        "sqrt(exp(log(16))) / 2; 2", "(1 + 2) * 3 - 4 / 2; 7", ".5e1 + 2; 7", "2 - 3 - 4; -5"})
    void formulasAreComputed(String formula, double expected) {
        assertEquals(expected, grade(multi(formula), "90 days!"), 1e-12);
    }

    @Test
    void wrongFormulasAreRefused() {
        for (String formula : List.of("same +", "same near", "other * 2", "min()", "(same", "same & near", "",
                "2 * ^ 3",
                "sqrt(1, 2)")) {
            assertRefused(multi(formula), "multi grader 'both'", "[same, near]");
        }
        assertRefused(multi("(".repeat(5000)), "nested");
    }

    @Test
    void aMultiGraderHasParts() {
        Grade grade = Graders.parse(multi("same + near"), GraderTools.NONE).inParts(ITEM, "90 days");
        assertEquals(2, grade.reward());
        assertEquals(Map.of("same", 1.0, "near", 1.0), grade.parts());
    }

    /** Tools that say always the same. */
    private static GraderTools saying(String answer, List<ChatMessage> asked) {
        return new GraderTools() {
            @Override
            public String answer(String model, List<ChatMessage> messages, Map<String, Object> schema) {
                asked.addAll(messages);
                return answer;
            }

            @Override
            public List<float[]> embed(List<String> texts) {
                return texts.stream().map(text -> new float[] {text.length(), 1}).toList();
            }
        };
    }

    private static double graded(String json, String said, List<ChatMessage> asked) {
        return Graders.parse(json, saying(said, asked)).grade(ITEM, "60 days");
    }

    @Test
    void modelsGradeWithScoresAndLabels() {
        String input = "\"model\": \"m\", \"input\": [{\"role\": \"developer\", \"content\": \"Grade.\"}, {\"role\": "
                + "\"user\", \"content\": {\"type\": \"input_text\", \"text\": "
                + "\"{{item.answer}}/{{sample.output_text}}\"}}]";
        String score = "{\"type\": \"score_model\", \"name\": \"s\", \"range\": [0, 10], " + input + "}";
        String label = "{\"type\": \"label_model\", \"labels\": [\"good\", \"bad\"], \"passing_labels\": [\"good\"], "
                + input + "}";
        List<ChatMessage> asked = new ArrayList<>();
        assertEquals(7.5, graded(score, "{\"result\": 7.5}", asked));
        assertEquals(List.of(ChatMessage.system("Grade."), ChatMessage.user("90 days/60 days")), asked);
        assertEquals(1, graded(label, "{\"result\": \"good\"}", asked));
        assertEquals(0, graded(label, "{\"result\": \"bad\"}", asked));
        for (String wrong : List.of("{\"result\": 11}", "{\"result\": \"x\"}", "{\"score\": 1}", "eight")) {
            assertThrows(ConfigurationException.class, () -> graded(score, wrong, asked), wrong);
        }
        assertEquals(1, graded("{\"type\": \"text_similarity\", \"evaluation_metric\": \"cosine\", \"input\": "
                + "\"{{sample.output_text}}\", \"reference\": \"{{item.answer}}\"}", "", asked), 1e-6);
    }

    @Test
    void aGraderThatFailsNamesItsItemAndTheOthersAreGraded() {
        Grader grader = (item, answer) -> switch (answer) {
            case "throws" -> throw new IllegalStateException("no such table");
            case "nan" -> Double.NaN;
            case "hangs" -> {
                while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                }
                yield 0;
            }
            default -> answer.length();
        };
        List<Grading.Answer> answers = new ArrayList<>();
        for (String text : List.of("a", "throws", "hangs", "hangs", "hangs", "nan", "abc")) {
            answers.add(new Grading.Answer("row " + (answers.size() + 1), new LinkedHashMap<>(), text));
        }
        List<Grading.Outcome> outcomes = new Grading(grader, 2, Duration.ofMillis(100)).grade(answers);
        assertEquals(List.of(Optional.of(1.0), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.of(3.0)),
                outcomes.stream().map(each -> each.grade().map(Grade::reward))
                        .toList());
        assertEquals("the grader fails: no such table (row 2)", outcomes.get(1).trouble().orElseThrow());
        assertEquals("the grader takes longer than 0.1 s (row 3)", outcomes.get(2).trouble().orElseThrow());
        assertEquals("the grader gives NaN, which is no number (row 6)", outcomes.get(5).trouble().orElseThrow());
    }

    /** A place without an end, however often it begins, is text, and read in one go. */
    @Test
    void aTemplateIsReadOnceFromItsBeginningToItsEnd() {
        String open = "{{".repeat(500_000);
        assertEquals(open, new GraderTemplate(open).fill(ITEM, ""));
        assertEquals("a90 daysb", new GraderTemplate("a{{item.answer}}b").fill(ITEM, ""));
        new GraderTemplate("{{item" + ".a".repeat(99) + "}}");
        for (int keys : new int[] {101, 2000, 200_000}) {
            String place = "{{item" + ".a".repeat(keys) + "}}";
            String message = assertThrows(ConfigurationException.class, () -> new GraderTemplate(place)).getMessage();
            assertTrue(message.startsWith("unknown place '{{item.a.a") && message.length() < 400, message);
        }
    }

    @Test
    void aTemplateMakesNoMoreThanModelsRead() {
        int most = GraderTemplate.MOST_CHARACTERS;
        GraderTemplate thousand = new GraderTemplate("{{item.a}}".repeat(1000));
        Map<String, Object> fits = Map.of("a", "x".repeat(most / 1000));
        assertEquals(most / 1000 * 1000, thousand.fill(fits, "").length());
        thousand.requireRoom(fits);
        Map<String, Object> large = Map.of("a", "x".repeat(5_000_000));
        assertThrows(ConfigurationException.class, () -> thousand.fill(large, ""));
        assertThrows(ConfigurationException.class, () -> thousand.requireRoom(large));
        GraderTemplate answer = new GraderTemplate("{{sample.output_text}}");
        assertEquals(most, answer.fill(ITEM, "x".repeat(most)).length());
        assertThrows(ConfigurationException.class, () -> answer.fill(ITEM, "x".repeat(most + 1)));
        assertEquals(3, Graders.templates(
                "{\"type\": \"multi\", \"graders\": {\"a\": " + check("eq", "x", "y") + ", \"b\": {\"type\": "
                        + "\"score_model\", \"model\": \"m\", \"input\": [{\"content\": \"x\"}]}}, "
                        + "\"calculate_output\": \"a + b\"}")
                .size());
    }

    @Test
    void formulasAndGradersWithinGradersHaveAnEnd() {
        assertEquals(500, valueOf("a" + "+a".repeat(499)));
        for (String formula : List.of("a" + "+a".repeat(500), "a" + "+a".repeat(200_000), "a" + "^a".repeat(200),
                "a" + "^a".repeat(100_000), "(".repeat(200) + "a" + ")".repeat(200), "-".repeat(1_000_000) + "a")) {
            String message = assertThrows(ConfigurationException.class, () -> valueOf(formula)).getMessage();
            assertTrue(message.contains("more than 1") && message.length() < 1000, message);
        }
        String nested = "{\"type\": \"multi\", \"graders\": {\"a\": ".repeat(60);
        assertRefused(nested + "{}", "nesting depth");
    }

    private static double valueOf(String formula) {
        return grade("{\"type\": \"multi\", \"graders\": {\"a\": " + check("eq", "x", "x")
                + "}, \"calculate_output\": \"" + formula + "\"}", "x");
    }

    @Test
    void longTextsAreNotComparedCharacterByCharacter() {
        for (String grader : List.of(
                "{\"type\": \"text_similarity\", \"evaluation_metric\": \"fuzzy_match\", \"input\": "
                        + "\"{{sample.output_text}}\", \"reference\": \"{{sample.output_text}}\"}",
                check("like",
                        "{{sample.output_text}}", "{{sample.output_text}}"))) {
            assertEquals(1, grade(grader, "x".repeat(1000)));
            String message = assertThrows(ConfigurationException.class, () -> grade(grader, "x".repeat(16_385)))
                    .getMessage();
            assertTrue(message.contains("16385 characters"), message);
        }
    }
}
