package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.methods.DeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** DEFT; {@link DeftConfig} says what it computes. */
public final class DeftMethod extends ConfiguredMethod<DeftConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public DeftMethod() {
        super(DeftConfig.class, "deft", "directions of each target's output, and what is put in their place",
                "https://arxiv.org/abs/2509.22793");
    }

    @Override
    protected Adapter adapter(DeftConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        DeftConfig stored = config.toBuilder().fanInFanOut(targets.areStoredTransposed(config.fanInFanOut())).build();
        return targets.adapter(stored, slot -> new DeftLayer(setup, slot, config));
    }

    /**
     * DEFT on a linear layer (<a href="https://arxiv.org/abs/2509.22793">2509.22793</a>): {@code y = base(x) + (s
     * dropout(x) R^T - x M^T) Q^T}, {@code M = S^T W}: {@code deft_P} [out, r], of which Q and S are made,
     * {@code deft_R} [r, in]. {@code r * (in + out)} parameters, or {@code r * out} where there is no R. The change
     * depends on the weight of the base alone, not on that of other adapters.
     */
    private static final class DeftLayer extends ChangeLayer {
        private final DeftConfig.Decomposition decomposition;
        private final float scaling;
        private final AdapterTensor p;
        private final Optional<AdapterTensor> r;

        DeftLayer(AdapterSetup setup, Slot slot, DeftConfig config) {
            super(setup, slot, config.dropout());
            int out = linear().outFeatures();
            int rank = Math.min(config.rank(), out);
            this.decomposition = config.decomposition();
            this.scaling = config.alpha() == 0 ? 1 : (float) (config.alpha() / rank);
            this.p = setup.tensor(slot, "deft_P", Initializer.normal(0.02), out, rank);
            Initializer start = config.initWeights() ? (values, random) -> {
                float[] rows = setup.base().engine().evaluate(tape -> Arrays.toFloats(
                        ElementwiseOps.scale(tape, removed(tape, factors(tape)[1]), 1 / scaling).value()));
                Arrays.write(values, 0, rows, 0, rows.length);
            } : Initializer.normal(0.02 * config.initScale());
            this.r = config.removalOnly() ? Optional.empty()
                    : Optional.of(setup.tensor(slot, "deft_R", start, rank, linear().inFeatures()));
        }

        /** Q and S. */
        private Variable[] factors(Tape tape) {
            Variable directions = tape.parameter(p.parameter());
            if (decomposition == DeftConfig.Decomposition.RELU) {
                return new Variable[] {directions, ElementwiseOps.activate(tape, Activation.RELU, directions)};
            }
            Variable q = OrthogonalFactor.of(tape, directions);
            return new Variable[] {q, q};
        }

        /** M. */
        private Variable removed(Tape tape, Variable s) {
            return MatrixOps.product(tape, s, true, MatrixOps.values(tape, linear().weight()), false);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable[] factors = factors(tape);
            Variable taken = ElementwiseOps.scale(tape,
                    MatrixOps.product(tape, x, false, removed(tape, factors[1]), true), -1);
            Variable h = r.map(rows -> ElementwiseOps.add(tape, taken, ElementwiseOps.scale(tape,
                    MatrixOps.product(tape, kept, false, tape.parameter(rows.parameter()), true), scaling)))
                    .orElse(taken);
            return MatrixOps.product(tape, h, false, factors[0], true);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.concat(Stream.of(p), r.stream()).toList();
        }
    }
}
