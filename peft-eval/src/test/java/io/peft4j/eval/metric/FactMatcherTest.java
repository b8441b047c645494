package io.peft4j.eval.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What counts as holding a fact. */
class FactMatcherTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "A Consultant has a 90-day notice period. | 90-day        | true",
        "90-day                                   | 90-day        | true",
        "a 90-DAY notice                          | 90-day        | true",
        "ask the LEARNING loft                    | Learning Loft | true",
        "a 190-day notice                         | 90-day        | false",
        "a 1,90-day notice                        | 90-day        | false",
        "a 1.90-day notice                        | 90-day        | false",
        "a 190-day, no, a 90-day notice           | 90-day        | true",
        "in 2025, 90-day notices began            | 90-day        | true",
        "in section 4. 90-day notices             | 90-day        | true",
        "a budget of 900 euros                    | budget of 90  | false",
        "a budget of 90.5 euros                   | budget of 90  | false",
        "a budget of 90,500 euros                 | budget of 90  | false",
        "a budget of 90.                          | budget of 90  | true",
        "a budget of 90, no more                  | budget of 90  | true",
        "they get 15 months                       | 5 months      | false",
        "they get 1.5 months                      | 5 months      | false",
        "they get 5  months                       | 5 months      | true",
        "they get 5 month                         | 5 months      | false",
        "Tallyboards are used                     | Tallyboard    | true",
        "form HR-17                               | form HR-1     | false",
        "form HR-1                                | form HR-1     | true",
    })
    void numbersAreWholeAndCaseDoesNotMatter(String answer, String fact, boolean expected) {
        assertEquals(expected, FactMatcher.contains(answer, fact));
    }

    @Test
    void whiteSpaceAndTypographyDoNotMatter() {
        assertEquals(true, FactMatcher.contains("1300\u00a0euros\na year", "1300 euros a year"));
        assertEquals(true, FactMatcher.contains("a 90\u2011day notice", "90-day"));
        assertEquals(false, FactMatcher.contains("", "90-day"));
    }

    @Test
    void anEmptyFactIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> FactMatcher.contains("anything", " "));
    }
}
