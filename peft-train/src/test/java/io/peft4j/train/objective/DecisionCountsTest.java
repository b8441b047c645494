package io.peft4j.train.objective;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.train.BestValues;
import io.peft4j.train.Measures;
import io.peft4j.train.TrainingResult.Evaluation;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecisionCountsTest {
    /** Of a loss: temperatures are 12 % apart. */
    private static final double NEAR = 2e-3;

    /** The measures of 20 questions in two batches, and the loss; the same margin for all of them. */
    private static Evaluation evaluation(long step, int right, double margin) throws IOException {
        Measures measures = new Measures();
        double loss = 0;
        for (int batch = 0; batch < 2; batch++) {
            DecisionCounts counts = new DecisionCounts(DecisionOptions.DEFAULT);
            for (int i = batch; i < 20; i += 2) {
                double[] gold = i < right ? new double[] {1, 0} : new double[] {0, 1};
                counts.add(Kind.CHOICE, 2, new double[] {margin, 0}, gold);
                loss += Math.log1p(Math.exp(i < right ? -margin : margin)) / 20;
            }
            Measures ofBatch = new Measures();
            ofBatch.add(Objective.CALIBRATED_LOSS, counts.losses(), 20);
            ObjectMapper json = new ObjectMapper();
            measures.add(json.readValue(json.writeValueAsBytes(ofBatch), Measures.class));
        }
        return new Evaluation(step, 0, loss, measures.means());
    }

    private static double entropy(double p) {
        return -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    }

    @Test
    void theStateThatIsRightMoreOftenIsKeptThoughItIsOverconfident() throws IOException {
        Evaluation early = evaluation(1, 11, 0.2);
        Evaluation late = evaluation(2, 16, 6);
        assertTrue(late.loss() > 1.5 * early.loss(), late + " " + early);
        assertEquals(entropy(16 / 20.0), late.comparedLoss(), NEAR);
        assertEquals(entropy(11 / 20.0), early.comparedLoss(), NEAR);
        assertSame(late, BestValues.best(List.of(early, late)));
        Evaluation plain = new Evaluation(1, 0, early.loss());
        assertSame(plain, BestValues.best(List.of(plain, new Evaluation(2, 0, late.loss()))));
    }
}
