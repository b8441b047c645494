package io.peft4j.train;

import io.peft4j.core.Internal;
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
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.pack.Seeds;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.objective.SampledAnswer;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

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

    private TrainingPasses(Model model, long keptBytes, TrainingOptions options, FrozenStates states) {
        this.model = Objects.requireNonNull(model, "model");
        this.keptBytes = keptBytes;
        this.neftuneAlpha = options.neftuneAlpha();
        // What routers add counts all tokens, those of equal beginnings, too; and each sequence has noise of its own.
        this.sharesPrefixes = options.sharePrefixes() && neftuneAlpha == 0
                && model.network().routerLossCoefficient() == 0;
        this.states = states;
        this.workspace = model.engine().workspace(Priority.WORK);
    }

    /**
     * Passes of {@code model}.
     *
     * @param states closed with this
     */
    public TrainingPasses(Model model, TrainingOptions options, FrozenStates states) {
        this(model, options.recompute() ? 0 : usuallyKept(model.network().description()), options, states);
    }

    /** Passes with the usual options. */
    public static TrainingPasses of(Model model) {
        return new TrainingPasses(model, TrainingOptions.defaults(), FrozenStates.none());
    }

    /** Passes that keep about so many bytes for the gradients, see {@link ForwardContext#recomputingAbove}. */
    static TrainingPasses keeping(Model model, long bytes) {
        return new TrainingPasses(model, bytes, TrainingOptions.defaults(), FrozenStates.none());
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
