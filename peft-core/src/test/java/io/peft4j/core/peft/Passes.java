package io.peft4j.core.peft;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
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
    public static float[] logits(LanguageModel model, LayerSelection layers, List<int[]> sequences) {
        try (Arena arena = new Arena(); Tape tape = Tape.inference(model.kernels(), arena, DataType.FLOAT)) {
            return Arrays.toFloats(logits(model, ForwardContext.evaluation(tape, batch(sequences), layers)).value());
        }
    }

    /** As {@link #logits(LanguageModel, LayerSelection, List)} in a pass of training with the given seed of dropout. */
    public static float[] trainingLogits(LanguageModel model, List<int[]> sequences, long seed) {
        try (Arena arena = new Arena(); Tape tape = Tape.inference(model.kernels(), arena, DataType.FLOAT)) {
            return Arrays.toFloats(
                    logits(model, ForwardContext.training(tape, batch(sequences), model.layers(), seed)).value());
        }
    }

    /**
     * Adds the gradients of the sum of {@code weights[i] * logits[i]} to the trainable parameters, in a pass of
     * training with the given seed of dropout.
     */
    public static void backward(LanguageModel model, List<int[]> sequences, float[] weights, long seed) {
        try (Arena arena = new Arena(); Tape tape = Tape.recording(model.kernels(), arena, DataType.FLOAT);
                INDArray gradient = Arrays.of(weights, weights.length / TinyNetwork.VOCABULARY,
                        TinyNetwork.VOCABULARY)) {
            tape.backward(logits(model, ForwardContext.training(tape, batch(sequences), model.layers(), seed)),
                    gradient);
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

    /** The logits of all predicted tokens of sequences that may be of different groups, with shared beginnings. */
    public static float[] groupedLogits(LanguageModel model, LayerSelection layers, List<TokenSequence> sequences) {
        try (Arena arena = new Arena(); Tape tape = Tape.inference(model.kernels(), arena, DataType.FLOAT)) {
            return Arrays.toFloats(logits(model, ForwardContext.evaluation(tape,
                    PackedBatch.sharingPrefixes(sequences), layers)).value());
        }
    }

    /** As {@link #backward(LanguageModel, List, float[], long)} for sequences that may be of different groups. */
    public static void groupedBackward(LanguageModel model, List<TokenSequence> sequences, float[] weights) {
        try (Arena arena = new Arena(); Tape tape = Tape.recording(model.kernels(), arena, DataType.FLOAT);
                INDArray gradient = Arrays.of(weights, weights.length / TinyNetwork.VOCABULARY,
                        TinyNetwork.VOCABULARY)) {
            tape.backward(logits(model, ForwardContext.training(tape, PackedBatch.sharingPrefixes(sequences),
                    model.layers(), 0)), gradient);
        }
    }

    /** A method may add rows to the batch, so the rows to look at are those of the context's batch. */
    private static Variable logits(LanguageModel model, ForwardContext context) {
        Variable hidden = model.network().hidden(context);
        Variable rows = RowOps.gatherRows(context.tape(), hidden, context.batch().targets().rows());
        return model.network().logits(context, rows);
    }
}
