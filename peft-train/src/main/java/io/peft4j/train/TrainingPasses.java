package io.peft4j.train;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.io.Closer;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.pack.Seeds;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.objective.SampledAnswer;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The passes of a training, whatever it minimizes. Each is run with the layers that are active then. Answers that the
 * model gives meanwhile go first, between two operations.
 */
@Internal
public final class TrainingPasses implements AutoCloseable {
    /** What gradients need may always take this much. */
    private static final long KEPT_BYTES = 256L << 20;
    /** And as much as so many copies of the model's weights in the activations' type. */
    private static final double KEPT_COPIES = 1.7;

    private final Model model;
    private final long keptBytes;
    private final boolean sharesPrefixes;
    private final double neftuneAlpha;
    private final FrozenStates states;
    private final Workspace workspace;

    private TrainingPasses(Model model, long keptBytes, TrainingOptions options, FrozenStates states,
            UnaryOperator<Kernels> around) {
        this.model = Objects.requireNonNull(model, "model");
        this.keptBytes = keptBytes;
        this.neftuneAlpha = options.neftuneAlpha();
        // What routers add counts all tokens, those of equal beginnings, too; and each sequence has noise of its own.
        this.sharesPrefixes = options.sharePrefixes() && neftuneAlpha == 0
                && model.network().routerLossCoefficient() == 0;
        this.states = states;
        this.workspace = model.engine().workspace(Priority.WORK, around);
    }

    /**
     * Passes of {@code model}.
     *
     * @param states closed with this
     */
    public TrainingPasses(Model model, TrainingOptions options, FrozenStates states) {
        this(model, options, states, UnaryOperator.identity());
    }

    /** The same on kernels that are put around the engine's. */
    TrainingPasses(Model model, TrainingOptions options, FrozenStates states, UnaryOperator<Kernels> around) {
        this(model, options.recompute() ? 0 : usuallyKept(model.network().description()), options, states, around);
    }

    /** Passes with the usual options. */
    public static TrainingPasses of(Model model) {
        return new TrainingPasses(model, TrainingOptions.defaults(), FrozenStates.none());
    }

    /** Passes that keep about so many bytes for the gradients, see {@link ForwardContext#recomputingAbove}. */
    static TrainingPasses keeping(Model model, long bytes) {
        return new TrainingPasses(model, bytes, TrainingOptions.defaults(), FrozenStates.none(),
                UnaryOperator.identity());
    }

    private static long usuallyKept(ModelDescription sizes) {
        return Math.max(KEPT_BYTES, (long) (KEPT_COPIES * sizes.parameters() * Arrays.bytes(sizes.activationType())));
    }

    /** A batch as its options say. */
    public PackedBatch pack(List<TokenSequence> sequences) {
        return sharesPrefixes ? model.network().pack(sequences) : PackedBatch.of(sequences);
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

    private Pass prepared(ModelLease lease, Pass pass) {
        return pass.with(context -> states.start(lease, workspace,
                context.isTraining() ? context.recomputingAbove(keptBytes) : context));
    }

    /**
     * The passes of one batch.
     *
     * @param seed of its dropout
     * @param measures takes what is measured
     * @param rows the examples of which it is noted whether they are right
     */
    public Passes ofBatch(long seed, Measures measures, RowVisits rows) {
        return new Batch(seed, measures, rows, "");
    }

    private final class Batch implements Passes {
        private final long seed;
        private final Measures measures;
        private final RowVisits rows;
        private final String prefix;

        Batch(long seed, Measures measures, RowVisits rows, String prefix) {
            this.seed = seed;
            this.measures = measures;
            this.rows = rows;
            this.prefix = prefix;
        }

        @Override
        public Passes named(String name) {
            return new Batch(seed, measures, rows, prefix + name + "/");
        }

        @Override
        public double training(int part, List<TokenSequence> sequences, ToDoubleFunction<Pass> work) {
            return TrainingPasses.this.training(pack(sequences), part == 0 ? seed : Seeds.mix(seed, part, 0), work);
        }

        @Override
        public <T> T evaluation(List<TokenSequence> sequences, Function<Pass, T> work) {
            return TrainingPasses.this.evaluation(pack(sequences), work);
        }

        @Override
        public <T> T base(List<TokenSequence> sequences, Function<Pass, T> work) {
            try (ModelLease lease = model.lease();
                    Pass pass = Pass.evaluation(lease.withLayers(LayerSelection.BASE), workspace, pack(sequences))) {
                return work.apply(pass);
            }
        }

        @Override
        public long seed() {
            return seed;
        }

        @Override
        public void measure(String name, double[] sums, double count) {
            measures.add(prefix + name, sums, count);
        }

        @Override
        public void visited(EncodedExample example, boolean right, double loss) {
            measures.visited(rows.place(example), new RowVisits.Visit(right, loss));
        }

        @Override
        public void show(SampledAnswer answer) {
            measures.show(answer);
        }
    }

    /** What is kept of the layers that nothing changes. */
    public FrozenStates states() {
        return states;
    }

    /** The most native memory that a pass has needed for temporaries. */
    public long peakBytes() {
        return workspace.arena().peakBytes();
    }

    @Override
    public void close() {
        Closer.closeAll(List.of(states, workspace));
    }

    /**
     * Layers of which the embedding adds noise in training: NEFTune (<a
     * href="https://arxiv.org/abs/2310.05914">2310.05914</a>), as Hugging Face Transformers has it. To each of the L H
     * values of a sequence comes a number that is uniform between {@code -a} and {@code a}, {@code a = alpha / sqrt(L
     * H)}. Which numbers follows from the seed of the pass.
     *
     * @param layers the layers without noise
     * @param embedding where it is added
     */
    record NoisyEmbedding(LayerSelection layers, Slot embedding, double alpha) implements LayerSelection {
        @Override
        public Layer at(Slot slot) {
            Layer plain = layers.at(slot);
            return slot.path().equals(embedding.path()) ? (context, x) -> noisy(context, plain.forward(context, x))
                    : plain;
        }

        private Variable noisy(ForwardContext context, Variable states) {
            if (!context.isTraining()) {
                return states;
            }
            int width = states.columns();
            SplittableRandom random = new SplittableRandom(context.nextDropoutSeed());
            INDArray noise = context.tape().arena().allocate(states.value().dataType(), states.value().shape());
            // A segment is a sequence: with noise none share rows.
            for (AttentionLayout.Segment segment : context.batch().layout().segments()) {
                int rows = segment.queryEnd() - segment.queryStart();
                double most = alpha / Math.sqrt((double) rows * width);
                float[] values = new float[rows * width];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (most * (2 * random.nextDouble() - 1));
                }
                Arrays.write(noise, (long) segment.queryStart() * width, values, 0, values.length);
            }
            return ElementwiseOps.add(context.tape(), states, context.tape().constant(noise));
        }

        @Override
        public PackedBatch prepare(PackedBatch batch) {
            return layers.prepare(batch);
        }

        @Override
        public PackedBatch.Targets learned(PackedBatch prepared) {
            return layers.learned(prepared);
        }

        @Override
        public ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
            return layers.begin(context, hidden);
        }

        @Override
        public int group(int sequence) {
            return layers.group(sequence);
        }

        @Override
        public boolean readsWholeSequences() {
            return layers.readsWholeSequences();
        }

        @Override
        public boolean needsAllRows(boolean training) {
            return layers.needsAllRows(training);
        }

        @Override
        public RowTask task(int asked) {
            return layers.task(asked);
        }

        @Override
        public int virtualTokens() {
            return layers.virtualTokens();
        }
    }
}
