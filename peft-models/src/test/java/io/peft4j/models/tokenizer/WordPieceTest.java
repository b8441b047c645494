package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a GGUF file's pieces tell of a BERT tokenizer. */
class WordPieceTest {
    private static boolean lowers(String... tokens) {
        return new WordPiece(List.of(tokens), new long[] {3, 1, 1}).isUncased();
    }

    @Test
    void piecesWithCapitalLettersKeepTheirs() {
        assertFalse(lowers("[UNK]", "\u2581a", "\u2581The"));
    }

    @Test
    void aLetterThatHasNoLowerCaseDoesNotMakeAVocabularyCased() {
        assertTrue(lowers("[UNK]", "\u2581a", "\u2581\u211d"));
    }
}
