package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** VeRA; {@link VeraConfig} says what it computes. */
@Internal
public final class VeraMethod extends ConfiguredMethod<VeraConfig> {
    @Override
    protected Adapter adapter(VeraConfig config, AdapterSetup setup) {
        SharedMatrices.requireSaved(config.saveProjection(), "VeRA");
        Targets targets = Targets.of(config.placement(), setup);
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(targets.slots());
        AdapterTensor a = setup.sharedTensor("base_model.vera_A", kaiming(sizes.in()), config.rank(), sizes.in());
        AdapterTensor b = setup.sharedTensor("base_model.vera_B", kaiming(config.rank()), sizes.out(), config.rank());
        SharedMatrices matrices = new SharedMatrices(List.of(a.frozen().inPlaceOfBase(), b.frozen().inPlaceOfBase()));
        return matrices.adapter(targets.named(config),
                targets.layers(slot -> new VeraLayer(setup, slot, config, matrices)));
    }

    /** Kaiming's uniform initialization for {@code inputs} inputs: between {@code -sqrt(6 / inputs)} and that. */
    private static Initializer kaiming(long inputs) {
        return Initializer.uniform(Math.sqrt(6.0 / inputs));
    }

    /**
     * VeRA on a linear layer (<a href="https://arxiv.org/abs/2310.11454">2310.11454</a>): {@code y = base(x) + b * ((d
     * * (dropout(x) A^T)) B^T)}: A [r, in] and B [out, r] are cut out of frozen matrices that all layers share, d [r]
     * and b [out] are trained: {@code r + out} parameters.
     *
     * <p>Merged: {@code W + diag(b) B diag(d) A}.
     */
    private static final class VeraLayer extends ProjectedLayer {
        private final SharedMatrices matrices;
        private final int rank;
        private final int in;
        private final int out;
        private final AdapterTensor b;
        private final AdapterTensor d;

        VeraLayer(AdapterSetup setup, Slot slot, VeraConfig config, SharedMatrices matrices) {
            super(slot, config.dropout());
            Linear linear = linear();
            this.matrices = matrices;
            this.rank = config.rank();
            this.in = linear.inFeatures();
            this.out = linear.outFeatures();
            boolean identity = config.initWeights();
            this.b = setup.tensor(slot, "vera_lambda_b", Initializer.constant(identity ? 0 : 1), out);
            this.d = setup.tensor(slot, "vera_lambda_d", identity ? Initializer.constant(config.dInitial())
                    : Initializer.normal(1), rank);
        }

        private INDArray sharedA() {
            return matrices.corner(0, rank, in);
        }

        private INDArray sharedB() {
            return matrices.corner(1, out, rank);
        }

        @Override
        Variable change(Tape tape, Variable x) {
            Variable h = MatrixOps.product(tape, x, false, tape.constant(sharedA()), true);
            Variable scaled = ScaleOps.columns(tape, h, tape.parameter(d.parameter()));
            Variable z = MatrixOps.product(tape, scaled, false, tape.constant(sharedB()), true);
            return ScaleOps.columns(tape, z, tape.parameter(b.parameter()));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(b, d);
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            INDArray left = SharedMatrices.scaled(sharedB(), Arrays.toFloats(b.parameter().value()));
            INDArray right = SharedMatrices.scaled(sharedA(), Arrays.toFloats(d.parameter().value()));
            try {
                LowRank.add(copy.weight(), left, right, 1);
            } finally {
                left.close();
                right.close();
            }
        }
    }
}
