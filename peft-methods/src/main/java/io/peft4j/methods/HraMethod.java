package io.peft4j.methods;

import io.peft4j.core.Internal;
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
import java.util.List;

/** HRA; {@link HraConfig} says what it computes. */
@Internal
public final class HraMethod extends ConfiguredMethod<HraConfig> {
    @Override
    protected Adapter adapter(HraConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new HraLayer(setup, slot, config));
    }

    /**
     * HRA on a linear layer (<a href="https://arxiv.org/abs/2405.17484">2405.17484</a>): {@code y = base(x H_r ...
     * H_1)}, {@code H_i = I - 2 u_i u_i^T}, u_i the normalized columns of the trained [in, r]: x [N, in]. {@code r *
     * in} parameters.
     *
     * <p>Merged: {@code W H_1 ... H_r}.
     */
    private static final class HraLayer extends AbstractAdapterLayer {
        private final Householder reflections;
        private final AdapterTensor normals;

        HraLayer(AdapterSetup setup, Slot slot, HraConfig config) {
            super(slot);
            boolean pairs = config.initWeights() && config.rank() % 2 == 0 && !config.gramSchmidt();
            this.reflections = new Householder(config.gramSchmidt());
            this.normals = setup.tensor(slot, "hra_u", pairs ? inPairs(config.rank())
                    : Initializer.uniform(1 / Math.sqrt(config.rank())), linear().inFeatures(),
                    config.rank());
        }

        /** Two equal reflections take each other back. */
        private static Initializer inPairs(int rank) {
            return Initializer.uniform(1 / Math.sqrt(rank / 2)).then(values -> {
                for (int i = 1; i < values.length; i += 2) {
                    values[i] = values[i - 1];
                }
                return values;
            });
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            return base.forward(context, reflections.reflect(tape, x, tape.parameter(normals.parameter())));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(normals);
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            reflections.merge(copy.weight(), normals.parameter().value());
        }
    }
}
