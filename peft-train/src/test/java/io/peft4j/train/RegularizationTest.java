package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.train.TrainingPasses.NoisyEmbedding;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Noise on embeddings and smoothed labels in trainings. */
class RegularizationTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(6, 1);

    /** Of L rows of width H: uniform between -alpha / sqrt(L H) and alpha / sqrt(L H), of variance a^2 / 3. */
    @Test
    void noiseIsUniformByTheLengthOfTheSequence() {
        try (Tiny tiny = new Tiny();
                ModelLease lease = tiny.model.lease();
                Workspace workspace = tiny.model.engine().workspace(Priority.WORK)) {
            LayerSelection noisy = new NoisyEmbedding(LayerSelection.BASE, tiny.network.embedding(), 5);
            PackedBatch batch = PackedBatch.of(EXAMPLES);
            float[] plain = embedded(workspace, lease, batch, LayerSelection.BASE, true, 3);
            assertTrue(java.util.Arrays.equals(plain, embedded(workspace, lease, batch, noisy, false, 3)));
            float[] with = embedded(workspace, lease, batch, noisy, true, 3);
            assertTrue(java.util.Arrays.equals(with, embedded(workspace, lease, batch, noisy, true, 3)));
            assertTrue(Tiny.distance(with, embedded(workspace, lease, batch, noisy, true, 4)) > 0);
            int width = plain.length / batch.rows();
            for (int i = 0; i < EXAMPLES.size(); i++) {
                int[] rows = batch.rowsOf(i);
                double most = 5 / Math.sqrt((double) rows.length * width);
                double squares = 0;
                for (int row : rows) {
                    for (int j = row * width; j < (row + 1) * width; j++) {
                        // A rounding of a sum of about 1.
                        assertTrue(Math.abs(with[j] - plain[j]) <= most + 1e-6);
                        squares += Math.pow(with[j] - plain[j], 2);
                    }
                }
                // At least 48 values: their variance is within half of its expectation, here by a fixed seed.
                assertEquals(1, squares / rows.length / width / (most * most / 3), 0.5);
            }
        }
    }

    private static float[] embedded(Workspace workspace, ModelLease lease, PackedBatch batch, LayerSelection layers,
            boolean training, long seed) {
        try (Tape tape = workspace.recording(DataType.FLOAT)) {
            return workspace.compute(() -> {
                ForwardContext context = training ? ForwardContext.training(tape, batch, layers, seed)
                        : ForwardContext.evaluation(tape, batch, layers);
                Variable states = layers.at(lease.network().embedding()).forward(context, context.noInput());
                return Arrays.toFloats(states.value());
            });
        } finally {
            workspace.arena().reset();
        }
    }

    private static TrainingResult train(double neftune, double smoothing) {
        try (Tiny tiny = new Tiny()) {
            return tiny.trainer().epochs(2).batchSize(3).learningRate(1e-2).neftuneAlpha(neftune)
                    .labelSmoothing(smoothing).validation(EXAMPLES).build().train(EXAMPLES);
        }
    }

    @Test
    void noiseChangesTrainingAndNotEvaluation() {
        TrainingResult plain = train(0, 0);
        TrainingResult noisy = train(5, 0);
        assertNotEquals(plain.steps().get(0).trainLoss(), noisy.steps().get(0).trainLoss());
        assertEquals(noisy.steps().get(3).trainLoss(), train(5, 0).steps().get(3).trainLoss());
        assertEquals(plain.evaluations().get(0).loss(), noisy.evaluations().get(0).loss(), 1e-6);
    }

    @Test
    void smoothingChangesTrainingAndNotEvaluation() {
        TrainingResult plain = train(0, 0);
        TrainingResult smoothed = train(0, 0.2);
        assertTrue(smoothed.steps().get(0).trainLoss() > plain.steps().get(0).trainLoss());
        assertEquals(plain.evaluations().get(0).loss(), smoothed.evaluations().get(0).loss());
    }

    /** The gradient of the smoothed loss, held against differences of the loss along the gradient itself. */
    @Test
    void theGradientIsThatOfTheSmoothedLoss() {
        PackedBatch batch = PackedBatch.of(EXAMPLES);
        try (Tiny tiny = new Tiny()) {
            double before = smoothed(tiny, batch);
            float[] gradient = tiny.takeGradients();
            double squares = 0;
            for (float g : gradient) {
                squares += g * g;
            }
            double size = 1e-3 / Math.sqrt(squares);
            double[] moved = new double[2];
            for (int side = 0; side < 2; side++) {
                int at = 0;
                for (Parameter parameter : tiny.model.trainableParameters()) {
                    float[] values = Arrays.toFloats(parameter.value());
                    for (int i = 0; i < values.length; i++) {
                        values[i] += (float) ((side == 0 ? size : -2 * size) * gradient[at++]);
                    }
                    Arrays.write(parameter.value(), 0, values, 0, values.length);
                }
                moved[side] = smoothed(tiny, batch);
                tiny.takeGradients();
            }
            assertTrue(moved[0] > before && before > moved[1]);
            // f32 losses of about 100 along a step of 1e-3.
            assertEquals(1, (moved[0] - moved[1]) / 2e-3 / Math.sqrt(squares), 1e-2);
        }
    }

    private static double smoothed(Tiny tiny, PackedBatch batch) {
        try (ModelLease lease = tiny.model.lease();
                Workspace workspace = tiny.model.engine().workspace(Priority.WORK);
                Pass pass = Pass.training(lease, workspace, batch, 1)) {
            return pass.withLabelSmoothing(0.3).backward(1);
        }
    }
}
