package io.peft4j.core.error;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One thing is written in the singular, all other numbers of things in the plural. */
class CountTest {
    @ParameterizedTest
    @CsvSource({"0, step, 0 steps", "1, step, 1 step", "2, step, 2 steps", "1, batch, 1 batch", "3, batch, 3 batches",
        "7, epoch, 7 epochs",
        "2, entry, 2 entries", "2, key, 2 keys", "2, class, 2 classes", "'1', more pair, 1 more pair",
        "1234567, held-out item, '1,234,567 held-out items'"})
    void theNounAgreesWithTheNumber(long number, String noun, String text) {
        assertEquals(text, Count.of(number, noun));
    }
}
