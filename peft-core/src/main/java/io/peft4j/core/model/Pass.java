package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.RouterLoss;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One run of a network, forward and, where it trains, back: the model with the layers that run in it, the batch and the
 * kind of pass are given when it is made, and nothing of it is changed on a shared object. Its methods compute when it
 * is their turn on the {@linkplain io.peft4j.core.engine.Engine engine}; between them, and between the operations of
 * work, others may compute.
 *
 * <p>Logits are computed on the rows that are asked for alone, and in chunks of some 24 MB: memory does not grow with
 * the vocabulary times the batch. Where the pass trains they are stored in the type of the model's activations, else in
 * f32; softmax and loss are f32. What a pass gives is valid until it is closed. For use by one thread.
 */
public final class Pass implements AutoCloseable {
    /** Memory of a chunk's logits, which comes on top of what is kept for the gradients. */
    private static final long CHUNK_BYTES = 24 << 20;
    /** Fewer rows at a time read the output layer too often: 48 rows of Gemma's 262,144 tokens take twice as long. */
    private static final int LEAST_ROWS = 192;

    private final ModelLease model;
    private final Workspace workspace;
    private final Tape tape;
    private ForwardContext context;
    private boolean begun;
    private int chunkRows;
    private double labelSmoothing;
    private double routerWeight;
    private double routerNormalizer = 1;
    private boolean[] hits = new boolean[0];

    private Pass(ModelLease model, Workspace workspace, Tape tape, ForwardContext context) {
        this.model = model;
        this.workspace = workspace;
        this.tape = tape;
        this.context = context;
        ModelDescription description = model.network().description();
        this.chunkRows = (int) Math.max(LEAST_ROWS, CHUNK_BYTES / Arrays.bytes(description.activationType())
                / description.vocabularySize());
    }

    private static DataType activations(ModelLease model) {
        return model.network().description().activationType();
    }

    /** A pass that trains: dropout is on, by its own seed, and gradients are recorded. */
    @Internal
    public static Pass training(ModelLease model, Workspace workspace, PackedBatch batch, long seed) {
        Tape tape = workspace.recording(activations(model));
        return new Pass(model, workspace, tape, ForwardContext.training(tape, batch, model.layers(), seed));
    }

    /** A pass that records gradients with dropout off. */
    @Internal
    public static Pass differentiating(ModelLease model, Workspace workspace, PackedBatch batch) {
        Tape tape = workspace.recording(activations(model));
        return new Pass(model, workspace, tape, ForwardContext.evaluation(tape, batch, model.layers()));
    }

    /** A pass that evaluates: dropout is off, nothing is recorded. */
    @Internal
    public static Pass evaluation(ModelLease model, Workspace workspace, PackedBatch batch) {
        Tape tape = workspace.inference(activations(model));
        return new Pass(model, workspace, tape, ForwardContext.evaluation(tape, batch, model.layers()));
    }

    /** A pass of generation: keys and values go into {@code cache}, and attention reads them from there. */
    @Internal
    public static Pass generation(ModelLease model, Workspace workspace, PackedBatch batch, KvCache cache) {
        Tape tape = workspace.inference(activations(model));
        return new Pass(model, workspace, tape, ForwardContext.generation(tape, batch, model.layers(), cache));
    }

    /** The same pass with another context, such as one that {@linkplain ForwardContext#startingWith starts} later. */
    public Pass with(UnaryOperator<ForwardContext> change) {
        context = workspace.compute(() -> change.apply(context));
        return this;
    }

    /** The same pass with at most {@code rows} rows of logits at a time. */
    public Pass withChunkRows(int rows) {
        chunkRows = rows;
        return this;
    }

    /**
     * The same pass whose {@link #backward(double)} smooths labels as PyTorch's {@code label_smoothing}: the loss of a
     * token is {@code (1 - share) nll + share * mean over the vocabulary of -log p}.
     */
    public Pass withLabelSmoothing(double share) {
        labelSmoothing = share;
        return this;
    }

    /**
     * The same pass whose losses of likelihoods and of logits have what the model's routers add, where it asks for that
     * ({@link Network#routerLossCoefficient()}); {@link #backward(double)} has it anyway.
     *
     * @param weight how often it counts in the loss that is returned: as the mean of examples with that sum of weights
     * @param normalizer what it is divided by in what is minimized, as the loss itself
     */
    public Pass withRouterLoss(double weight, double normalizer) {
        routerWeight = weight;
        routerNormalizer = normalizer;
        return this;
    }

    /** The pass with what its adapters compute before the network runs; in a turn on the engine. */
    private ForwardContext begun() {
        if (!begun) {
            context = model.layers().begin(context, pass -> model.network().hidden(pass));
            begun = true;
        }
        return context;
    }

    /** The batch that runs: the one that was given, or one with rows for virtual tokens. */
    @Internal
    public PackedBatch batch() {
        return context.batch();
    }

    /** The hidden states after the final norm of some rows of {@link #batch()}, [rows.length, H]. */
    public Variable hidden(int... rows) {
        return workspace.compute(() -> model.network().hidden(begun(), rows));
    }

    /**
     * The hidden states after the final norm of all rows of {@link #batch()}, and the output layer's work on them where
     * asked: for what looks at layers while they run.
     */
    public Variable hidden(boolean withHead) {
        return workspace.compute(() -> {
            Variable states = model.network().hidden(begun());
            if (withHead) {
                model.network().causal().logits(context, states);
            }
            return states;
        });
    }

    /** Is given rows of logits. */
    @FunctionalInterface
    public interface LogitReader {
        /**
         * Reads them. Runs outside of the engine; others may compute meanwhile.
         *
         * @param first index of the first row among those that were asked for
         * @param logits FLOAT [n, V]; valid during the call
         */
        void read(int first, INDArray logits);
    }

    /**
     * The logits of some rows of {@link #batch()}, some at a time.
     *
     * @param rows the rows; each may be asked for more than once
     */
    public void logits(int[] rows, LogitReader reader) {
        INDArray hidden = hidden(rows).value();
        for (int from = 0; from < rows.length; from += chunkRows) {
            INDArray part = workspace.arena().rows(hidden, from, Math.min(rows.length, from + chunkRows));
            try (Tape head = workspace.inference(DataType.FLOAT)) {
                INDArray logits = workspace.compute(
                        () -> model.network().causal().logits(context.onTape(head), head.constant(part)).value());
                reader.read(from, logits);
            }
        }
    }

    /** The logits of some of the rows whose {@linkplain #hidden(int...) hidden states} were computed before. */
    public float[] logits(Variable hidden, int from, int to) {
        try (Tape head = workspace.inference(DataType.FLOAT)) {
            return workspace.compute(() -> Arrays.toFloats(model.network().causal().logits(context.onTape(head),
                    head.constant(workspace.arena().rows(hidden.value(), from, to))).value()));
        }
    }

    /** The logits of some rows of {@link #batch()}, [rows.length, V] one row after the other. */
    public float[] logits(int... rows) {
        int columns = model.network().description().vocabularySize();
        float[] all = new float[Math.multiplyExact(rows.length, columns)];
        logits(rows, (first, logits) -> Arrays.read(logits, 0, all, first * columns, (int) logits.length()));
        return all;
    }

    /** The result of the network's head ({@link HeadedNetwork#outputs}), one row after the other. */
    public float[] outputs() {
        return workspace.compute(() -> Arrays.toFloats(model.network().headed().outputs(begun()).value()));
    }

    /** The loss of a head's result. */
    @FunctionalInterface
    public interface OutputLoss {
        /**
         * Computes it. Runs outside of the engine; others may compute meanwhile.
         *
         * @param outputs the head's result, one row after the other
         * @param columns values in a row
         * @param gradient is filled with the gradient of the loss for each of them; all 0 at first
         * @return the loss
         */
        double compute(float[] outputs, int columns, float[] gradient);
    }

    /**
     * The loss of the head's result, with its gradients added to the trainable parameters.
     *
     * @param loss what is minimized, in all its parts divided as wanted
     */
    public double backward(OutputLoss loss) {
        Variable outputs = workspace.compute(() -> model.network().headed().outputs(begun()));
        float[] gradient = new float[(int) outputs.value().length()];
        double sum = loss.compute(Arrays.toFloats(outputs.value()), outputs.columns(), gradient);
        if (outputs.requiresGradient()) {
            workspace.compute(() -> {
                INDArray array = workspace.arena().allocate(outputs.value().dataType(), outputs.value().shape());
                Arrays.write(array, 0, gradient, 0, gradient.length);
                tape.backward(outputs, array);
                return sum;
            });
        }
        return sum;
    }

    /** The negative log-likelihood of each supervised token, in the order of the batch's targets. */
    public float[] negativeLogLikelihoods() {
        PackedBatch.Targets targets = batch().targets();
        return targets.count() == 0 ? new float[0] : workspace
                .compute(() -> negativeLogLikelihoods(model.network().hidden(begun(), targets.rows()).value()));
    }

    private float[] negativeLogLikelihoods(INDArray rows) {
        TargetHead.Losses losses = head(batch().targets()).losses(rows);
        hits = losses.hits();
        return losses.nll();
    }

    private TargetHead head(PackedBatch.Targets targets) {
        return new TargetHead(model.network().causal(), workspace, context, chunkRows, targets);
    }

    /** Whether each target was predicted right (as the likeliest token), as of the last losses. */
    public boolean[] hits() {
        return hits;
    }

    /** The sum of {@link #negativeLogLikelihoods()} for each sequence of the batch, in their order. */
    public double[] sequenceNegativeLogLikelihoods() {
        float[] nll = negativeLogLikelihoods();
        return sequenceSums(i -> nll[i]);
    }

    /** The weighted sum of {@link #negativeLogLikelihoods()} for each sequence of the batch, in their order. */
    public double[] sequenceLosses() {
        float[] nll = negativeLogLikelihoods();
        float[] weights = batch().targets().weights();
        return sequenceSums(i -> (double) weights[i] * nll[i]);
    }

    private double[] sequenceSums(IntToDoubleFunction target) {
        double[] sums = new double[batch().lastRows().length];
        int[] sequences = batch().targets().sequences();
        for (int i = 0; i < sequences.length; i++) {
            sums[sequences[i]] += target.applyAsDouble(i);
        }
        return sums;
    }

    /**
     * The weighted sum of the negative log-likelihoods of the supervised tokens, with gradients of
     * {@code sum / normalizer} added to the trainable parameters. A batch without supervised tokens gives 0 and no
     * gradients.
     *
     * <p>Adapters may have {@linkplain io.peft4j.core.nn.LayerSelection#learned more learned} than those. Where the
     * model asks for it ({@link Network#routerLossCoefficient()}), what its routers add is part of
     * the loss, with the batch's share of the normalizer: whole where a step is one batch, a mean over several.
     *
     * @param normalizer what the sum is divided by
     */
    public double backward(double normalizer) {
        double[] same = DoubleStream.generate(() -> normalizer).limit(batch().lastRows().length).toArray();
        return DoubleStream.of(backwardBySequence(same)).sum();
    }

    /**
     * As {@link #backward(double)}, for sequences whose losses are divided by numbers of their own: those of trainings
     * that share a pass.
     *
     * @param normalizers for each sequence of the batch what its sum is divided by
     * @return the weighted sum of each sequence, not divided, with its share of what routers add to the loss
     */
    public double[] backwardBySequence(double... normalizers) {
        PackedBatch.Targets targets = model.layers().learned(batch());
        double[] sums = new double[normalizers.length];
        return batch().targets().count() == 0 ? sums : workspace.compute(() -> {
            double coefficient = model.network().routerLossCoefficient();
            RouterLoss routers = new RouterLoss(coefficient);
            Variable rows = model.network().hidden(coefficient == 0 ? begun() : begun().withRouterLoss(routers),
                    targets.rows());
            Map<Integer, Double> added = routers.byGroup();
            float[] shares = new float[targets.count()];
            for (int i = 0; i < shares.length; i++) {
                shares[i] = (float) (targets.weights()[i] / normalizers[targets.sequences()[i]]);
                routers.weigh(batch().group(targets.rows()[i]), shares[i]);
            }
            float[] others = backwardOfOthers(targets, shares);
            float[] losses = backward(rows, targets, shares);
            for (int i = 0; i < losses.length; i++) {
                sums[targets.sequences()[i]] += (double) targets.weights()[i]
                        * (losses[i] + others[i] + added.getOrDefault(batch().group(targets.rows()[i]), 0.0));
            }
            return sums;
        });
    }

    /** The negative log-likelihoods, with the gradients of their sum, each times its share. */
    private float[] backward(Variable rows, PackedBatch.Targets targets, float[] shares) {
        INDArray gradient = zeros(rows);
        TargetHead.Losses losses = head(targets).backward(rows.value(), gradient, shares,
                new SmoothedLabels(labelSmoothing));
        hits = losses.hits();
        backward(rows, gradient);
        return losses.nll();
    }

    /** The losses of {@linkplain ForwardContext#otherStates() other states}, whose gradients wait for the network's. */
    private float[] backwardOfOthers(PackedBatch.Targets targets, float[] shares) {
        float[] sums = new float[shares.length];
        for (ForwardContext.OtherStates other : context.otherStates()) {
            Variable rows = RowOps.gatherRows(tape, other.states(), targets.rows());
            INDArray gradient = zeros(rows);
            float[] weighted = shares.clone();
            for (int i = 0; i < weighted.length; i++) {
                weighted[i] *= (float) other.weight();
            }
            float[] nll = head(targets).backward(rows.value(), gradient, weighted, new SmoothedLabels(0)).nll();
            rows.addGradient((sum, accumulate) -> tape.kernels().scale(gradient, 1f, sum, accumulate));
            for (int i = 0; i < sums.length; i++) {
                sums[i] += (float) other.weight() * nll[i];
            }
        }
        return sums;
    }

    private INDArray zeros(Variable rows) {
        return workspace.arena().zeros(rows.value().dataType(), rows.value().shape());
    }

    /** From the hidden states back through the network. */
    private void backward(Variable rows, INDArray gradient) {
        if (rows.requiresGradient()) {
            tape.backward(rows, gradient);
        }
    }

    /** A loss that depends on the likelihoods of the supervised tokens alone. */
    @FunctionalInterface
    public interface LikelihoodLoss {
        /**
         * Computes it. Runs outside of the engine; others may compute meanwhile.
         *
         * @param nll the negative log-likelihood of each target of the batch, in their order
         * @param gradient is filled with the derivative of the loss by each of them; all 0 at first
         * @return the loss
         */
        double compute(float[] nll, float[] gradient);
    }

    /**
     * A loss of the likelihoods, with its gradients added to the trainable parameters. The likelihoods are those of
     * {@link #negativeLogLikelihoods()} bit for bit where dropout is 0: the head runs twice, once for them and once for
     * the gradients.
     *
     * @param loss what is minimized, in all its parts divided as wanted
     */
    public double backward(LikelihoodLoss loss) {
        PackedBatch.Targets targets = batch().targets();
        if (targets.count() == 0) {
            return loss.compute(new float[0], new float[0]);
        }
        RoutedRows routed = routed(targets.rows());
        Variable rows = routed.rows();
        float[] shares = new float[targets.count()];
        double value = loss.compute(workspace.compute(() -> negativeLogLikelihoods(rows.value())), shares);
        workspace.compute(() -> backward(rows, targets, shares));
        return value + routed.added();
    }

    private RoutedRows routed(int... targets) {
        return workspace.compute(() -> RoutedRows.of(model.network(), begun(), targets, routerWeight,
                routerNormalizer));
    }

    /** A loss of the logits of supervised tokens, some at a time. */
    @FunctionalInterface
    public interface LogitLoss {
        /**
         * Computes it. Runs outside of the engine; others may compute meanwhile.
         *
         * @param from index of the first target
         * @param to index after the last one
         * @param logits their logits, [to - from, V] one row after the other; replaced by the derivatives of the loss
         * @return the loss
         */
        double compute(int from, int to, float[] logits);
    }

    /**
     * A loss of the logits, summed over all supervised tokens, with its gradients added to the trainable parameters.
     *
     * @param loss what is minimized, in all its parts divided as wanted
     */
    public double backwardOfLogits(LogitLoss loss) {
        PackedBatch.Targets targets = batch().targets();
        if (targets.count() == 0) {
            return 0;
        }
        RoutedRows routed = routed(targets.rows());
        INDArray gradient = zeros(routed.rows());
        double sum = head(targets).backward(routed.rows().value(), gradient, loss);
        workspace.compute(() -> {
            backward(routed.rows(), gradient);
            return routed;
        });
        return sum + routed.added();
    }

    /** Gives the memory of all results back to the workspace. */
    @Override
    public void close() {
        tape.close();
        workspace.arena().reset();
    }
}
