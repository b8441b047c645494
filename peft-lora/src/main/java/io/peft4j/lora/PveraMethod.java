package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.random.TorchRandom;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/** PVeRA; {@link PveraConfig} says what it computes. */
@Internal
public final class PveraMethod extends ConfiguredMethod<PveraConfig> {
    @Override
    protected Adapter adapter(PveraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(targets.slots());
        int rank = config.rank();
        TorchRandom random = new TorchRandom(config.projectionSeed());
        float[] a = random.kaimingUniform(2 * rank * sizes.in(), sizes.in());
        float[] b = random.kaimingUniform(sizes.out() * rank, rank);
        SharedMatrices matrices = config.saveProjection()
                ? new SharedMatrices(List.of(stored(setup, "base_model.pvera_A", a, 2 * rank, sizes.in()),
                        stored(setup, "base_model.pvera_B", b, sizes.out(), rank)))
                : SharedMatrices.drawn(Arrays.of(a, 2L * rank, sizes.in()), Arrays.of(b, sizes.out(), rank));
        return matrices.adapter(targets.named(config),
                targets.layers(slot -> new PveraLayer(setup, slot, config, matrices)));
    }

    private static AdapterTensor stored(AdapterSetup setup, String key, float[] drawn, int rows, int columns) {
        return setup.sharedTensor(key, Initializer.values(drawn), rows, columns).frozen().inPlaceOfBase();
    }

    /**
     * PVeRA on a linear layer (<a href="https://arxiv.org/abs/2512.07703">2512.07703</a>): {@code y = base(x) + b * (z
     * B^T)}: z [N, r] from the halves m and l of {@code d * (dropout(x) A^T)} [N, 2 r]: m, and in training {@code m + e
     * * exp(l / 2)} with normal e. {@code pvera_lambda_d} d [2 r], {@code pvera_lambda_b} b [out]: {@code 2 * r + out}
     * parameters, of which the second half of d is only used in training.
     *
     * <p>Merged, without noise: {@code W + diag(b) B diag(d) A} with the first halves.
     */
    private static final class PveraLayer extends AbstractAdapterLayer {
        private final SharedMatrices matrices;
        private final int rank;
        private final float dropout;
        private final AdapterTensor b;
        private final AdapterTensor d;

        PveraLayer(AdapterSetup setup, Slot slot, PveraConfig config, SharedMatrices matrices) {
            super(slot);
            this.matrices = matrices;
            this.rank = config.rank();
            this.dropout = (float) config.dropout();
            boolean identity = config.initWeights();
            this.b = setup.tensor(slot, "pvera_lambda_b", Initializer.constant(identity ? 0 : 1),
                    linear().outFeatures());
            this.d = setup.tensor(slot, "pvera_lambda_d", identity ? Initializer.constant(config.dInitial())
                    : Initializer.normal(1), 2L * rank);
        }

        private INDArray sharedA() {
            return matrices.corner(0, 2 * rank, linear().inFeatures());
        }

        private INDArray sharedB() {
            return matrices.corner(1, linear().outFeatures(), rank);
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable y = base.forward(context, x);
            Variable kept = dropout(context, x, dropout);
            Variable h = ScaleOps.columns(tape, MatrixOps.product(tape, kept, false, tape.constant(sharedA()), true),
                    tape.parameter(d.parameter()));
            Variable mean = ColumnOps.slice(tape, h, 0, rank);
            Variable z = !context.isTraining() ? mean : ElementwiseOps.add(tape, mean,
                    noise(tape, ColumnOps.slice(tape, h, rank, 2 * rank), context.nextDropoutSeed()));
            Variable change = MatrixOps.product(tape, z, false, tape.constant(sharedB()), true);
            return ElementwiseOps.addInto(tape, ScaleOps.columns(tape, change, tape.parameter(b.parameter())), y);
        }

        /** {@code e * exp(l / 2)}; gradient: {@code dl = dy e exp(l / 2) / 2}. */
        private static Variable noise(Tape tape, Variable l, long seed) {
            SplittableRandom random = new SplittableRandom(seed);
            float[] values = Arrays.toFloats(l.value());
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() * Math.exp(values[i] / 2));
            }
            INDArray y = tape.allocateFloat(l.value().shape());
            Arrays.write(y, 0, values, 0, values.length);
            return tape.record(y, (out, dy) -> l.addGradient((dl, accumulate) -> {
                float[] g = Arrays.toFloats(dy);
                float[] sum = accumulate ? Arrays.toFloats(dl) : new float[g.length];
                for (int i = 0; i < g.length; i++) {
                    sum[i] += g[i] * values[i] / 2;
                }
                Arrays.write(dl, 0, sum, 0, sum.length);
            }), List.of(l));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(b, d);
        }

        /** Training draws random numbers with or without dropout. */
        @Override
        public boolean hasDropout() {
            return true;
        }

        @Override
        public Optional<String> mixingObstacle() {
            return Optional.of("it draws random numbers for all rows of a batch in training");
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            try (INDArray left = SharedMatrices.scaled(sharedB(), Arrays.toFloats(b.parameter().value()));
                    INDArray right = SharedMatrices.scaled(matrices.corner(0, rank, linear().inFeatures()),
                            Arrays.toFloats(d.parameter().value()))) {
                LowRank.add(copy.weight(), left, right, 1);
            }
        }
    }
}
