package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a constraint allows of a vocabulary. */
class TokenMasksTest {
    @Test
    void aSearchThatNobodyWaitsForIsGivenUp() {
        TextConstraint constraint = TextConstraints.regex("[a-z]+");
        try (Tokenizer tokenizer = Tokenizers.fromFolder(Path.of("../tests/fixtures/tiny-llama"))) {
            TokenMasks masks = new TokenMasks(constraint, new TokenMasks.Table(tokenizer, Set.of()));
            assertTrue(masks.find(constraint.start(), true, () -> false).isEmpty());
            assertTrue(masks.known(constraint.start(), true).isEmpty());
            BitSet allowed = masks.allowed(constraint.start(), true);
            assertFalse(allowed.isEmpty());
            assertEquals(Optional.of(allowed), masks.known(constraint.start(), true));
            assertEquals(Optional.of(allowed), masks.find(constraint.start(), true, () -> false));
        }
    }
}
