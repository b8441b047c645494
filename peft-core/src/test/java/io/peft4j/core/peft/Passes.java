package io.peft4j.core.peft;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Forward and backward passes of any model, for tests. */
public final class Passes {
    private Passes() {
    }

    /** The logits of all predicted tokens of the sequences, packed into one batch. */
    public static float[] logits(LanguageModel model, List<int[]> sequences) {
        try (ModelLease lease = model.lease()) {
            return logits(lease, sequences);
        }
    }

    /** As {@link #logits(LanguageModel, List)}, of what a lease keeps. */
    public static float[] logits(ModelLease model, List<int[]> sequences) {
        return evaluated(model, batch(sequences));
    }

    /** The logits of all predicted tokens of sequences that may be of different groups, with shared beginnings. */
    public static float[] groupedLogits(LanguageModel model, List<TokenSequence> sequences) {
        try (ModelLease lease = model.lease()) {
            return evaluated(lease, PackedBatch.sharingPrefixes(sequences));
        }
    }

    private static float[] evaluated(ModelLease model, PackedBatch batch) {
        return model.engine().evaluate(tape -> Arrays.toFloats(
                logits(model, ForwardContext.evaluation(tape, batch, model.layers())).value()));
    }

    /** As {@link #logits(LanguageModel, List)} in a pass of training with the given seed of dropout. */
    public static float[] trainingLogits(LanguageModel model, List<int[]> sequences, long seed) {
        try (ModelLease lease = model.lease()) {
            return lease.engine().evaluate(tape -> Arrays.toFloats(
                    logits(lease, ForwardContext.training(tape, batch(sequences), lease.layers(), seed)).value()));
        }
    }

    /**
     * Adds the gradients of the sum of {@code weights[i] * logits[i]} to the trainable parameters, in a pass of
     * training with the given seed of dropout.
     */
    public static void backward(LanguageModel model, List<int[]> sequences, float[] weights, long seed) {
        backward(model, batch(sequences), weights, seed);
    }

    /** As {@link #backward(LanguageModel, List, float[], long)} for sequences that may be of different groups. */
    public static void groupedBackward(LanguageModel model, List<TokenSequence> sequences, float[] weights) {
        backward(model, PackedBatch.sharingPrefixes(sequences), weights, 0);
    }

    private static void backward(LanguageModel model, PackedBatch batch, float[] weights, long seed) {
        try (ModelLease lease = model.lease();
                Workspace workspace = lease.engine().workspace(Priority.WORK);
                Tape tape = workspace.recording(DataType.FLOAT);
                INDArray gradient = Arrays.of(weights, weights.length / TinyNetwork.VOCABULARY,
                        TinyNetwork.VOCABULARY)) {
            workspace.compute(() -> {
                tape.backward(logits(lease, ForwardContext.training(tape, batch, lease.layers(), seed)), gradient);
                return gradient;
            });
        }
    }

    /** A plain step down the gradient. */
    public static void descend(List<Parameter> parameters, double learningRate) {
        for (Parameter parameter : parameters) {
            float[] values = Arrays.toFloats(parameter.value());
            float[] gradient = Arrays.toFloats(parameter.gradient());
            for (int i = 0; i < values.length; i++) {
                values[i] -= (float) (learningRate * gradient[i]);
            }
            Arrays.write(parameter.value(), 0, values, 0, values.length);
            parameter.clearGradient();
        }
    }

    private static PackedBatch batch(List<int[]> sequences) {
        return PackedBatch.of(sequences.stream().map(TokenSequence::allSupervised).toList());
    }

    /** A method may add rows to the batch, so the rows to look at are those of the context's batch. */
    private static Variable logits(ModelLease model, ForwardContext context) {
        Variable hidden = model.network().hidden(
                model.layers().begin(context, pass -> model.network().hidden(pass)));
        Variable rows = RowOps.gatherRows(context.tape(), hidden, context.batch().targets().rows());
        return model.network().causal().logits(context, rows);
    }
}
