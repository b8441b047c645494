package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Expected: {@code classification_report} of seqeval 1.2.2 on the same labels. */
class EntityScoresTest {
    private static final List<List<String>> EXPECTED = List.of(
            List.of("B-PER", "I-PER", "O", "B-LOC", "O", "B-PER"), List.of("B-LOC", "I-LOC", "B-LOC", "O"),
            List.of("O", "O"));
    private static final List<List<String>> FOUND = List.of(
            List.of("B-PER", "I-PER", "O", "B-PER", "O", "B-PER"), List.of("B-LOC", "O", "B-LOC", "I-LOC"),
            List.of("O", "I-PER"));

    @Test
    void entitiesAreCountedAsSeqevalCountsThem() {
        EntityScores scores = EntityScores.of(EXPECTED, FOUND);

        assertEquals(new EntityScores.Counts(0, 2, 3), scores.byType().get("LOC"));
        assertEquals(new EntityScores.Counts(2, 4, 2), scores.byType().get("PER"));
        assertEquals(0.5, scores.byType().get("PER").precision());
        assertEquals(1, scores.byType().get("PER").recall());
        assertEquals(2.0 / 3, scores.byType().get("PER").f1(), 1e-12);
        assertEquals(4.0 / 11, scores.all().f1(), 1e-12);
    }

    @Test
    void nothingFoundScoresNothing() {
        EntityScores scores = EntityScores.of(List.of(List.of("B-A")), List.of(List.of("O")));

        assertEquals(0, scores.all().precision());
        assertEquals(0, scores.all().f1());
    }

    @Test
    void everyWordNeedsALabel() {
        assertThrows(ConfigurationException.class,
                () -> EntityScores.of(List.of(List.of("O", "O")), List.of(List.of("O"))));
    }
}
