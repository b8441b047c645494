package io.peft4j.train;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Next-token prediction: the negative log-likelihood of the supervised tokens.
 *
 * <p>Logits are computed on the rows that predict a supervised token only, and in chunks: a chunk's logits become its
 * gradient at once and are gone before the next chunk, so memory does not grow with the vocabulary times the batch.
 * While training they are stored in the type of the model's activations, as the peers do it, else in f32; softmax
 * and loss are computed in f32 from them.
 *
 * <p>A pass waits for passes of others on the same kernels, such as an answer that the model gives meanwhile.
 */
public final class CausalLmObjective implements AutoCloseable {
    /** Memory of a chunk's logits, which comes on top of all that is kept for the gradients. */
    private static final long CHUNK_BYTES = 24 << 20;
    /** Kernels are fastest on multiples of this. */
    private static final int ROW_UNIT = 16;
    /** What gradients need may always take this much. */
    private static final long KEPT_BYTES = 256L << 20;
    /** And as much as so many copies of the model's weights in the activations' type. */
    private static final double KEPT_COPIES = 1.7;

    private final LanguageModel model;
    private final int chunkRows;
    private final long keptBytes;
    private final FrozenStates states;
    private final Arena arena = new Arena();

    /** The objective for {@code model} with the layers that are active in it at each call. */
    public CausalLmObjective(LanguageModel model) {
        this(model, false);
    }

    /**
     * As the other.
     *
     * @param recompute whether every decoder layer runs a second time rather than keep what its gradients need; if not,
     *     those of a long batch do so which begin when 1.7 times the size of the model's weights, and 256 MB, are kept
     *     already
     */
    public CausalLmObjective(LanguageModel model, boolean recompute) {
        this(model, recompute, FrozenStates.none());
    }

    /**
     * As the other.
     *
     * @param states closed with the objective
     */
    CausalLmObjective(LanguageModel model, boolean recompute, FrozenStates states) {
        this(model, recompute ? 0 : keptBytes(model.network().description()),
                chunkRows(model.network().description()), states);
    }

    /**
     * As the other.
     *
     * @param keptBytes about as much is kept for the gradients, see {@link ForwardContext#recomputingAbove}
     * @param chunkRows the most rows of logits at a time
     */
    CausalLmObjective(LanguageModel model, long keptBytes, int chunkRows, FrozenStates states) {
        this.keptBytes = keptBytes;
        this.states = states;
        this.model = Objects.requireNonNull(model, "model");
        this.chunkRows = chunkRows;
    }

    private static int chunkRows(ModelDescription model) {
        return (int) Math.max(ROW_UNIT, CHUNK_BYTES / Arrays.bytes(model.activationType()) / model.vocabularySize());
    }

    private static long keptBytes(ModelDescription model) {
        return Math.max(KEPT_BYTES, (long) (KEPT_COPIES * model.parameters() * Arrays.bytes(model.activationType())));
    }

    /**
     * The weighted sum of the negative log-likelihoods, with gradients of {@code sum / normalizer} added to the
     * trainable parameters. A batch without supervised tokens gives 0 and no gradients.
     *
     * @param batch the sequences
     * @param normalizer what the sum is divided by: the sum of weights of the whole optimizer step
     * @param dropoutSeed seed of this pass's dropout
     */
    public double backward(PackedBatch batch, double normalizer, long dropoutSeed) {
        if (batch.targets().count() == 0) {
            return 0;
        }
        synchronized (model.kernels()) {
            return backwardAlone(batch, normalizer, dropoutSeed);
        }
    }

    private double backwardAlone(PackedBatch batch, double normalizer, long dropoutSeed) {
        double sum = 0;
        try (Tape tape = Tape.recording(model.kernels(), arena, model.network().description().activationType())) {
            ForwardContext context = states.start(model, ForwardContext.training(tape, batch, model.layers(),
                    dropoutSeed).recomputingAbove(keptBytes));
            PackedBatch.Targets targets = context.batch().targets();
            Variable rows = model.network().hidden(context, targets.rows());
            INDArray gradient = arena.zeros(rows.value().dataType(), rows.value().shape());
            for (Chunk chunk : chunks(targets)) {
                sum += backward(batch, rows.value(), gradient, chunk, normalizer, context.nextDropoutSeed());
            }
            if (rows.requiresGradient()) {
                tape.backward(rows, gradient);
            }
        } finally {
            arena.reset();
        }
        return sum;
    }

    /** All targets in chunks of about the same size: a small one at the end would take as long as a large one. */
    private List<Chunk> chunks(PackedBatch.Targets targets) {
        int count = (targets.count() + chunkRows - 1) / chunkRows;
        int size = Math.min(chunkRows, ((targets.count() + count - 1) / count + ROW_UNIT - 1) / ROW_UNIT * ROW_UNIT);
        List<Chunk> chunks = new ArrayList<>(count);
        for (int from = 0; from < targets.count(); from += size) {
            chunks.add(new Chunk(targets, from, Math.min(targets.count(), from + size)));
        }
        return chunks;
    }

    private double backward(PackedBatch batch, INDArray rows, INDArray gradient, Chunk chunk, double normalizer,
            long seed) {
        float[] nll = new float[chunk.size()];
        float[] weights = chunk.weights();
        float[] shares = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            shares[i] = (float) (weights[i] / normalizer);
        }
        try (Tape tape = Tape.recording(model.kernels(), arena, rows.dataType())) {
            ForwardContext context = ForwardContext.training(tape, batch, model.layers(), seed);
            Variable hidden = tape.input(chunk.of(arena, rows), chunk.of(arena, gradient));
            Variable logits = model.network().logits(context, hidden);
            model.kernels().crossEntropyGradient(logits.value(), chunk.ids(), shares, nll);
            tape.backward(logits, logits.value());
        }
        return weightedSum(weights, nll);
    }

    /** The weighted sum of the negative log-likelihoods, as {@link #backward} gives it, with dropout off. */
    public double loss(PackedBatch batch) {
        return weightedSum(batch.targets().weights(), tokenNegativeLogLikelihoods(batch));
    }

    private static double weightedSum(float[] weights, float[] nll) {
        double sum = 0;
        for (int i = 0; i < nll.length; i++) {
            sum += (double) weights[i] * nll[i];
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
        float[] nll = new float[batch.targets().count()];
        if (nll.length == 0) {
            return nll;
        }
        synchronized (model.kernels()) {
            evaluateAlone(batch, nll);
        }
        return nll;
    }

    private void evaluateAlone(PackedBatch batch, float[] nll) {
        try (Tape tape = Tape.inference(model.kernels(), arena, model.network().description().activationType())) {
            ForwardContext context = states.start(model, ForwardContext.evaluation(tape, batch, model.layers()));
            PackedBatch.Targets targets = context.batch().targets();
            INDArray rows = model.network().hidden(context, targets.rows()).value();
            for (Chunk chunk : chunks(targets)) {
                System.arraycopy(evaluate(batch, rows, chunk), 0, nll, chunk.from(), chunk.size());
            }
        } finally {
            arena.reset();
        }
    }

    private float[] evaluate(PackedBatch batch, INDArray rows, Chunk chunk) {
        float[] nll = new float[chunk.size()];
        try (Tape tape = Tape.inference(model.kernels(), arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, model.layers());
            Variable logits = model.network().logits(context, tape.constant(chunk.of(arena, rows)));
            model.kernels().crossEntropy(logits.value(), chunk.ids(), nll);
        }
        return nll;
    }

    /** Targets whose logits are computed together. */
    private record Chunk(PackedBatch.Targets targets, int from, int to) {
        int size() {
            return to - from;
        }

        int[] ids() {
            return java.util.Arrays.copyOfRange(targets.ids(), from, to);
        }

        float[] weights() {
            return java.util.Arrays.copyOfRange(targets.weights(), from, to);
        }

        INDArray of(Arena arena, INDArray rows) {
            return arena.rows(rows, from, to);
        }
    }

    /** The most native memory that a pass has needed for temporaries. */
    public long peakBytes() {
        return arena.peakBytes();
    }

    /** Frees the temporaries' memory. */
    @Override
    public void close() {
        states.close();
        arena.close();
    }
}
