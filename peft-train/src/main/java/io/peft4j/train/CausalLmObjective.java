package io.peft4j.train;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import java.util.Objects;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Next-token prediction: the negative log-likelihood of the supervised tokens.
 *
 * <p>Logits are computed on the rows that predict a supervised token only, in f32, and in chunks: a chunk's logits become
 * its gradient at once and are gone before the next chunk, so memory does not grow with the vocabulary times the batch.
 */
public final class CausalLmObjective implements AutoCloseable {
    /** Elements of a chunk's logits: 24 MB of floats. */
    private static final int CHUNK_ELEMENTS = 6 << 20;

    private final LanguageModel model;
    private final Arena arena = new Arena();

    /** The objective for {@code model} with the layers that are active in it at each call. */
    public CausalLmObjective(LanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    /**
     * The weighted sum of the negative log-likelihoods, with gradients of {@code sum / normalizer} added to the
     * trainable parameters.
     *
     * @param batch at least one supervised token
     * @param normalizer what the sum is divided by: the sum of weights of the whole optimizer step
     * @param dropoutSeed seed of this pass's dropout
     */
    public double backward(PackedBatch batch, double normalizer, long dropoutSeed) {
        Kernels kernels = model.kernels();
        PackedBatch.Targets targets = batch.targets();
        double sum = 0;
        try (Tape tape = Tape.recording(kernels, arena, model.network().description().activationType())) {
            ForwardContext context = ForwardContext.training(tape, batch, model.layers(), dropoutSeed);
            Variable rows = RowOps.gatherRows(tape, model.network().hidden(context), targets.rows());
            INDArray gradient = arena.zeros(rows.value().dataType(), rows.value().shape());
            int chunk = chunkRows();
            for (int from = 0; from < targets.count(); from += chunk) {
                int to = Math.min(targets.count(), from + chunk);
                sum += backwardChunk(batch, rows.value(), gradient, from, to, normalizer, context.nextDropoutSeed());
            }
            if (rows.requiresGradient()) {
                tape.backward(rows, gradient);
            }
        }
        arena.reset();
        return sum;
    }

    private double backwardChunk(PackedBatch batch, INDArray rows, INDArray gradient, int from, int to,
            double normalizer, long seed) {
        PackedBatch.Targets targets = batch.targets();
        int[] ids = java.util.Arrays.copyOfRange(targets.ids(), from, to);
        float[] nll = new float[to - from];
        double sum = 0;
        try (Tape tape = Tape.recording(model.kernels(), arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.training(tape, batch, model.layers(), seed);
            Variable hidden = tape.input(Arrays.rowRange(rows, from, to), Arrays.rowRange(gradient, from, to));
            Variable logits = model.network().logits(context, hidden);
            model.kernels().crossEntropy(logits.value(), ids, nll);
            float[] scaled = new float[to - from];
            for (int i = 0; i < scaled.length; i++) {
                float weight = targets.weights()[from + i];
                scaled[i] = (float) (weight / normalizer);
                sum += (double) weight * nll[i];
            }
            model.kernels().crossEntropyBackward(logits.value(), ids, scaled);
            tape.backward(logits, logits.value());
        }
        return sum;
    }

    /**
     * The negative log-likelihood of each sequence's supervised tokens, weights not applied.
     *
     * @return one sum for each sequence of the batch, in their order
     */
    public double[] negativeLogLikelihoods(PackedBatch batch) {
        double[] sums = new double[batch.lastRows().length];
        float[] nll = tokenNegativeLogLikelihoods(batch);
        for (int i = 0; i < nll.length; i++) {
            sums[batch.targets().sequences()[i]] += nll[i];
        }
        return sums;
    }

    /** The negative log-likelihood of each supervised token, in the order of the batch's targets. */
    public float[] tokenNegativeLogLikelihoods(PackedBatch batch) {
        PackedBatch.Targets targets = batch.targets();
        float[] nll = new float[targets.count()];
        if (nll.length == 0) {
            return nll;
        }
        try (Tape tape = Tape.inference(model.kernels(), arena, model.network().description().activationType())) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, model.layers());
            INDArray rows = RowOps.gatherRows(tape, model.network().hidden(context), targets.rows()).value();
            int chunk = chunkRows();
            for (int from = 0; from < nll.length; from += chunk) {
                evaluateChunk(batch, rows, from, Math.min(nll.length, from + chunk), nll);
            }
        }
        arena.reset();
        return nll;
    }

    private void evaluateChunk(PackedBatch batch, INDArray rows, int from, int to, float[] nll) {
        try (Tape tape = Tape.inference(model.kernels(), arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, model.layers());
            Variable logits = model.network().logits(context, tape.constant(Arrays.rowRange(rows, from, to)));
            float[] part = new float[to - from];
            model.kernels().crossEntropy(logits.value(),
                    java.util.Arrays.copyOfRange(batch.targets().ids(), from, to), part);
            IntStream.range(0, part.length).forEach(i -> nll[from + i] = part[i]);
        }
    }

    private int chunkRows() {
        return Math.max(16, CHUNK_ELEMENTS / model.network().description().vocabularySize());
    }

    /** The most native memory that a pass has needed for temporaries. */
    public long peakBytes() {
        return arena.peakBytes();
    }

    /** Frees the temporaries' memory. */
    @Override
    public void close() {
        arena.close();
    }
}
