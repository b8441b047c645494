package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.peft4j.models.generation.GrowingAnswer.PromptLookup;
import org.junit.jupiter.api.Test;

class PromptLookupTest {
    private static int[] guess(int most, int... tokens) {
        return new PromptLookup(tokens).guess(most);
    }

    @Test
    void aSequenceIsExpectedToGoOnAsItDidBefore() {
        assertArrayEquals(new int[] {4, 5, 6}, guess(3, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3));
        assertArrayEquals(new int[] {4, 5, 6, 7, 1, 2, 3}, guess(10, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3));
    }

    @Test
    void longerAgreementsAndLaterOnesComeFirst() {
        assertArrayEquals(new int[] {9}, guess(1, 1, 2, 3, 9, 5, 2, 3, 8, 1, 2, 3));
        assertArrayEquals(new int[] {8}, guess(1, 6, 2, 3, 9, 5, 2, 3, 8, 1, 2, 3));
    }

    @Test
    void nothingIsGuessedWhereTheLastTokensAreNew() {
        assertArrayEquals(new int[0], guess(3, 1, 2, 3, 4));
        assertArrayEquals(new int[0], guess(3, 3, 1, 2, 3));
        assertArrayEquals(new int[0], guess(0, 1, 2, 3, 1, 2, 3));
        assertArrayEquals(new int[0], guess(3, 1));
    }

    @Test
    void newTokensCount() {
        PromptLookup lookup = new PromptLookup(new int[] {1, 2, 3});
        for (int i = 0; i < 200; i++) {
            lookup.add(100 + i);
        }
        lookup.add(100);
        lookup.add(101);
        assertArrayEquals(new int[] {102, 103}, lookup.guess(2));
    }
}
