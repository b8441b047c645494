package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.Pass;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Scores of many sequences, in their order. */
class SequenceScorerTest {
    @Test
    void scoresDoNotDependOnBatchingAndKeepTheirOrder() {
        List<TokenSequence> sequences = new ArrayList<>(Tiny.examples(300, 1));
        sequences.add(100, Tiny.unsupervised(5));
        sequences.add(TokenSequence.allSupervised(3));
        List<SequenceScorer.Score> scores = new ArrayList<>();
        try (Tiny tiny = new Tiny(); TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            try (SequenceScorer scorer = new SequenceScorer(tiny.model, scores::add)) {
                sequences.forEach(scorer::add);
                assertTrue(scores.size() > 100 && scores.size() < sequences.size(), "one batch holds all");
                scorer.flush();
                scorer.flush();
            }
            assertEquals(sequences.size(), scores.size());
            for (int i = 0; i < scores.size(); i++) {
                double alone = passes.evaluation(PackedBatch.of(List.of(sequences.get(i))),
                        Pass::sequenceNegativeLogLikelihoods)[0];
                // Sums of f32 values in another order.
                assertEquals(alone, scores.get(i).nll(), 2e-6 * alone, "sequence " + i);
                assertEquals(sequences.get(i).supervisedTokens(), scores.get(i).tokens());
            }
        }
        assertEquals(new SequenceScorer.Score(0, 0), scores.get(100));
        assertEquals(new SequenceScorer.Score(0, 0), scores.get(301));
    }
}
