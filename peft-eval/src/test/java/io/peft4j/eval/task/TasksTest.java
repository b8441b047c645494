package io.peft4j.eval.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ways to judge answers, by hand-made cases whose outcome can be counted. */
class TasksTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "The budget is 1,300 EUR a year.    | 1300 euros        | true",
        "It is \u20ac1300.                  | 1300 euros        | true",
        "a notice of ninety days            | 90-day            | true",
        "a notice of 90 days                | 90-day            | true",
        "a notice of 190 days               | 90-day            | false",
        "twenty-five percent of it          | 25%               | true",
        "thirty percent of it               | 25%               | false",
        "after 3 months                     | three months      | true",
        "$2.50 a cup                        | 2.50 dollars      | true",
        "1,300.50 euros                     | 1300 euros        | false",
    })
    void numbersAndUnitsAreNormalised(String answer, String fact, boolean held) {
        assertEquals(held, FactCheck.all(fact).normalized().accepts(answer));
        assertEquals(held, FactCheck.anyOf("no such thing", fact).normalized().accepts(answer));
        assertFalse(FactCheck.all("no such thing", fact).normalized().accepts(answer));
    }

    @Test
    void expressionsAndPlainTextsAreFound() {
        assertTrue(FactCheck.regex("\\b9\\d\\b").accepts("It is 95 days."));
        assertFalse(FactCheck.regex("\\b9\\d\\b").accepts("It is 195 days."));
        assertFalse(FactCheck.all("90-day").accepts("90 days"), "only when asked to");
    }

    @Test
    void classesAreCounted() {
        List<String> labels = List.of("approved", "not approved");
        List<String> expected = List.of("approved", "approved", "not approved", "not approved", "approved");
        List<String> answers = List.of("It is approved.", "Not approved!", "not approved", "I do not know", "Approved");
        Classification result = Classification.of(labels, expected, answers);
        assertEquals(0.6, result.accuracy(), 1e-12);
        assertEquals(1, result.count(0, 1));
        assertEquals(1, result.count(1, 2), "no label");
        // approved: P 1, R 2/3, F1 0.8; not approved: P 1/2, R 1/2, F1 1/2.
        assertEquals(0.8, result.f1(0), 1e-9);
        assertEquals(0.5, result.f1(1), 1e-9);
        assertEquals(0.65, result.macroF1(), 1e-9);
        // 3 of 5 right; 3, 2 and 0 expected; 2, 2 and 1 said: (3 * 5 - 10) / sqrt((25 - 9) (25 - 13)).
        assertEquals(5 / Math.sqrt(16 * 12), result.matthewsCorrelation(), 1e-12);
        assertThrows(ConfigurationException.class, () -> Classification.of(labels, List.of("other"), List.of("x")));
        assertThrows(ConfigurationException.class, () -> Classification.of(labels, List.of(), List.of()));
    }

    @Test
    void rocAucIsTheShareOfOrderedPairs() {
        // Of the 2 x 2 pairs of a yes and a no, three are in order.
        assertEquals(0.75, Classification.areaUnderRoc(new double[] {0.9, 0.4, 0.6, 0.1},
                new boolean[] {true, true, false, false}), 1e-12);
        assertEquals(0.5, Classification.areaUnderRoc(new double[] {0.5, 0.5}, new boolean[] {true, false}), "a tie");
        assertEquals(Double.NaN, Classification.areaUnderRoc(new double[] {0.5}, new boolean[] {true}));
    }

    @Test
    void consistencyCountsPairs() {
        List<EvaluationItem> items = List.of(EvaluationItem.fact("Who?", "Anna Berg"),
                EvaluationItem.fact("Who is it?", "Anna Berg"), EvaluationItem.fact("When?", "Monday"),
                EvaluationItem.fact("On which day?", "Monday"), EvaluationItem.fact("Alone?", "yes, alone"));
        Consistency result = Consistency.ofWordings(items,
                List.of("Anna Berg.", "It is Anna Berg", "On Monday", "on Tuesday", "no"));
        assertEquals(new Consistency(2, 1, 0.5), result);
        assertEquals(new Consistency(1, 0, 1.0 / 3),
                Consistency.ofGroups(List.of(List.of("The cat", "cat", "dog"), List.of("alone"))));
        assertThrows(ConfigurationException.class, () -> Consistency.ofGroups(List.of(List.of("alone"))));
    }

    @Test
    void formatsAreChecked() {
        FormatCheck schema = FormatCheck.jsonSchema("{\"type\": \"object\", \"required\": [\"name\"], "
                + "\"additionalProperties\": false, \"properties\": {\"name\": {\"type\": \"string\", "
                + "\"minLength\": 2}, \"days\": {\"type\": \"integer\", \"minimum\": 1}, "
                + "\"tags\": {\"type\": \"array\", "
                + "\"maxItems\": 2, \"items\": {\"enum\": [\"a\", \"b\"]}}}}");
        assertTrue(schema.accepts("{\"name\": \"Ada\", \"days\": 3, \"tags\": [\"a\", \"b\"]}"));
        for (String wrong : List.of("", "Ada", "[]", "{\"name\": \"A\"}", "{\"days\": 3}", "{\"name\": \"Ada\"} yes",
                "{\"name\": \"Ada\", \"days\": 0}", "{\"name\": \"Ada\", \"days\": 1.5}",
                "{\"name\": \"Ada\", \"x\": 1}",
                "{\"name\": \"Ada\", \"tags\": [\"c\"]}", "{\"name\": \"Ada\", \"tags\": [\"a\", \"a\", \"a\"]}")) {
            assertFalse(schema.accepts(wrong), wrong);
        }
        assertThrows(ConfigurationException.class, () -> FormatCheck.jsonSchema("{\"oneOf\": []}"));
        assertThrows(ConfigurationException.class, () -> FormatCheck.jsonSchema("{"));
        assertEquals(0.5, FormatCheck.regex("[A-Z]{3}").rate(List.of(" ABC\n", "ABCD")));
        assertTrue(FormatCheck.words(1, 3).accepts("one two three"));
        assertFalse(FormatCheck.words(1, 3).accepts(" "));
    }

    @Test
    void refusalsAreDistinguishedFromAnswers() {
        List<String> refusals = List.of("I'm sorry, but I can't help with that.", "I cannot assist with this request.",
                "I\u2019m unable to provide that.", "I am sorry, that is not possible.");
        List<String> answers = List.of("You can do it like this.", "The cannon was loud.", "I can help you with that.",
                "Sure! First open the window.");
        assertEquals(1, RefusalDetector.rate(refusals));
        assertEquals(0, RefusalDetector.rate(answers));
    }
}
