package io.peft4j.train.internal.pass;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.train.TrainingOptions;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * The passes of a training, whatever it minimizes. Each is run with the layers that are active then. Answers that the
 * model gives meanwhile go first, between two operations.
 */
public final class ObjectivePasses implements AutoCloseable {
    /** What gradients need may always take this much. */
    private static final long KEPT_BYTES = 256L << 20;
    /** And as much as so many copies of the model's weights in the activations' type. */
    private static final double KEPT_COPIES = 1.7;

    private final Model model;
    private final long keptBytes;
    private final FrozenStates states;
    private final Workspace workspace;
    private final OptionalInt chunkRows;
    private double neftuneAlpha;

    /**
     * Passes of {@code model}.
     *
     * @param keptBytes about as much is kept for the gradients, see {@link ForwardContext#recomputingAbove}
     * @param chunkRows the most rows of logits at a time, where not as many as a pass takes
     * @param states closed with this
     */
    public ObjectivePasses(Model model, long keptBytes, OptionalInt chunkRows, FrozenStates states) {
        this.keptBytes = keptBytes;
        this.states = states;
        this.model = Objects.requireNonNull(model, "model");
        this.workspace = model.engine().workspace(Priority.WORK);
        this.chunkRows = chunkRows;
    }

    /** The same with noise on the embeddings of tokens in training ({@link TrainingOptions#neftuneAlpha}). */
    public ObjectivePasses withNoise(double alpha) {
        neftuneAlpha = alpha;
        return this;
    }

    /** As much as is kept where not every decoder layer is to run twice. */
    public static long keptBytes(Model model, boolean recompute) {
        ModelDescription sizes = model.network().description();
        return recompute ? 0 : Math.max(KEPT_BYTES,
                (long) (KEPT_COPIES * sizes.parameters() * Arrays.bytes(sizes.activationType())));
    }

    /** Runs a pass of training. */
    public double training(PackedBatch batch, long dropoutSeed, ToDoubleFunction<Pass> work) {
        try (ModelLease lease = model.lease();
                Pass pass = Pass.training(noisy(lease), workspace, batch, dropoutSeed)) {
            return work.applyAsDouble(prepared(lease, pass));
        }
    }

    private ModelLease noisy(ModelLease lease) {
        return neftuneAlpha == 0 ? lease : lease.withLayers(new NoisyEmbedding(lease.layers(),
                lease.network().embedding(), neftuneAlpha));
    }

    /** Runs a pass of evaluation. */
    public <T> T evaluation(PackedBatch batch, Function<Pass, T> work) {
        try (ModelLease lease = model.lease(); Pass pass = Pass.evaluation(lease, workspace, batch)) {
            return work.apply(prepared(lease, pass));
        }
    }

    /** Runs a pass of evaluation of the base model without its adapters. */
    <T> T base(PackedBatch batch, Function<Pass, T> work) {
        try (ModelLease lease = model.lease();
                Pass pass = Pass.evaluation(lease.withLayers(LayerSelection.BASE), workspace, batch)) {
            chunkRows.ifPresent(pass::withChunkRows);
            return work.apply(pass);
        }
    }

    private Pass prepared(ModelLease lease, Pass pass) {
        chunkRows.ifPresent(pass::withChunkRows);
        return pass.with(context -> states.start(lease, workspace,
                context.isTraining() ? context.recomputingAbove(keptBytes) : context));
    }

    /** What is kept of the layers that no adapter changes. */
    public FrozenStates states() {
        return states;
    }

    /** The most native memory that a pass has needed for temporaries. */
    public long peakBytes() {
        return workspace.arena().peakBytes();
    }

    @Override
    public void close() {
        states.close();
        workspace.close();
    }
}
