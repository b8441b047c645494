package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.DeltaLayer;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** PEANuT; {@link PeanutConfig} says what it computes. */
@Internal
public final class PeanutMethod extends ConfiguredMethod<PeanutConfig> {
    @Override
    protected Adapter adapter(PeanutConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new PeanutLayer(setup, slot, config));
    }

    /**
     * PEANuT on a linear layer (<a href="https://arxiv.org/abs/2410.01870">2410.01870</a>): {@code y = base(x) + s x h
     * B^T}, h [in, r] from {@code f(W^T A^T)} by d encoders and d decoders [r, r]: {@code peanut_A} [r, out], {@code
     * peanut_B} [out, r]. {@code 2 * r * out + 2 * d * r^2} parameters. The change depends on the weight of the base
     * alone, not on that of other adapters.
     */
    private static final class PeanutLayer extends DeltaLayer {
        private final Activation f;
        private final float scaling;
        private final AdapterTensor a;
        private final AdapterTensor b;
        private final List<AdapterTensor> encoders;
        private final List<AdapterTensor> decoders;

        PeanutLayer(AdapterSetup setup, Slot slot, PeanutConfig config) {
            super(setup, slot);
            int rank = config.rank();
            int out = linear().outFeatures();
            this.f = Activation.of(config.activation());
            this.scaling = (float) config.scaling();
            this.a = setup.tensor(slot, "peanut_A.weight", Initializer.linear(out), rank, out);
            this.b = setup.tensor(slot, "peanut_B.weight", config.initWeights() ? Initializer.ZEROS
                    : Initializer.linear(rank), out, rank);
            this.encoders = square(setup, slot, "peanut_encoders", config);
            this.decoders = square(setup, slot, "peanut_decoders", config);
        }

        private static List<AdapterTensor> square(AdapterSetup setup, Slot slot, String name, PeanutConfig config) {
            int rank = config.rank();
            return IntStream.range(0, config.depth()).mapToObj(i -> setup.tensor(slot, name + "." + i + ".weight",
                    Initializer.linear(rank), rank, rank)).toList();
        }

        @Override
        protected Variable delta(Tape tape) {
            Variable h = ElementwiseOps.activate(tape, f, MatrixOps.product(tape,
                    MatrixOps.values(tape, linear().weight()), true, tape.parameter(a.parameter()), true));
            Deque<Variable> passed = new ArrayDeque<>();
            for (AdapterTensor encoder : encoders) {
                passed.push(h);
                h = layer(tape, h, encoder);
            }
            for (AdapterTensor decoder : decoders) {
                h = ElementwiseOps.add(tape, layer(tape, h, decoder), passed.pop());
            }
            return ElementwiseOps.scale(tape,
                    MatrixOps.product(tape, tape.parameter(b.parameter()), false, h, true), scaling);
        }

        private Variable layer(Tape tape, Variable h, AdapterTensor weight) {
            return ElementwiseOps.activate(tape, f,
                    MatrixOps.product(tape, h, false, tape.parameter(weight.parameter()), true));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.of(List.of(a, b), encoders, decoders).flatMap(List::stream).toList();
        }
    }
}
