package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.train.TrainingPasses;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a model says about sequences, and how far it may be from Hugging Face. The differences that are reached go to
 * the log at level debug.
 */
final class Measure {
    /**
     * Relative, for a summed negative log-likelihood: what the project promises. Hugging Face's own float32 is within
     * 3e-6 of its float64, which is what is compared with.
     */
    static final double NLL = 1e-5;
    /**
     * For a logit, in units of what Hugging Face's own float32 is off its float64 at the same place: how much rounding
     * is amplified differs from place to place. Several orders of the same sums were seen to differ by up to 3.4 units.
     */
    private static final double LOGIT = 6;
    private static final Logger LOG = LoggerFactory.getLogger(Measure.class);

    private Measure() {
    }

    /** The summed negative log-likelihood of each sequence's supervised tokens, each sequence in a batch of its own. */
    static double[] oneByOne(LanguageModel model, List<TokenSequence> sequences) {
        try (TrainingPasses passes = TrainingPasses.of(model)) {
            return sequences.stream()
                    .mapToDouble(
                            s -> passes.evaluation(PackedBatch.of(List.of(s)), Pass::sequenceNegativeLogLikelihoods)[0])
                    .toArray();
        }
    }

    /** The same from one batch. */
    static double[] together(LanguageModel model, PackedBatch batch) {
        try (TrainingPasses passes = TrainingPasses.of(model)) {
            return passes.evaluation(batch, Pass::sequenceNegativeLogLikelihoods);
        }
    }

    /** The same from one batch of the sequences one after the other, which takes less time where a model is small. */
    static double[] together(LanguageModel model, List<TokenSequence> sequences) {
        return together(model, PackedBatch.of(sequences));
    }

    /** All logits after a position of a sequence. */
    static float[] logits(LanguageModel model, int[] ids, int position) {
        PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(ids)));
        try (ModelLease lease = model.lease();
                Workspace workspace = lease.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease, workspace, batch)) {
            // Virtual tokens come first.
            return pass.logits(pass.batch().rows() - ids.length + position);
        }
    }

    static void assertClose(double[] expected, double[] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], NLL * expected[i], what + ", row " + i);
            worst = Math.max(worst, Math.abs(actual[i] / expected[i] - 1));
        }
        LOG.debug("{}: largest relative difference {}", what, worst);
    }

    /** Holds the rows {@code {"text", "position", "f32_error", "values"}} against a model. */
    static void assertLogits(LanguageModel model, List<TokenSequence> texts, JsonNode rows) {
        for (JsonNode row : rows) {
            int position = row.get("position").asInt();
            float[] actual = logits(model, texts.get(row.get("text").asInt()).ids(), position);
            double[] expected = Fixtures.doubles(row.get("values"));
            assertEquals(expected.length, actual.length);
            double tolerance = LOGIT * row.get("f32_error").asDouble();
            double worst = 0;
            for (int i = 0; i < actual.length; i++) {
                if (!(Math.abs(expected[i] - actual[i]) <= tolerance)) {
                    assertEquals(expected[i], actual[i], "logit " + i + " of text " + row.get("text") + " after "
                            + position);
                }
                worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
            }
            LOG.debug("logits: largest difference {}, the reference's own {}", worst, row.get("f32_error"));
        }
    }
}
