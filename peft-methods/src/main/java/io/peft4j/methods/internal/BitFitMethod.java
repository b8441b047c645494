package io.peft4j.methods.internal;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.support.TrainedCopies;
import io.peft4j.methods.BitFitConfig;
import java.util.List;
import java.util.Optional;

/** BitFit; {@link BitFitConfig} says what it trains. */
public final class BitFitMethod extends ConfiguredMethod<BitFitConfig> {
    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    protected Adapter adapter(BitFitConfig config, AdapterSetup setup) {
        Placement asked = config.placement();
        Targets all = Targets.of(asked.targetModules().isUnset() ? asked.withTargets(TargetModules.ALL_LINEAR) : asked,
                setup);
        List<Slot> slots = all.slots().stream().filter(slot -> config.addBiases() || hasBias(slot)).toList();
        Checks.require(!slots.isEmpty(), "none of the layers has a bias; set add_biases to true, or choose other "
                + "layers");
        return new Targets(setup, all.placement(), slots).adapter(config, slot -> hasBias(slot)
                ? TrainedCopies.biasOf(setup, slot, false) : new AddedBias(setup, slot));
    }

    private static boolean hasBias(Slot slot) {
        return ((Linear) slot.layer()).bias().isPresent();
    }

    /**
     * A trained bias for a linear layer that has none: {@code y = base(x) + b}: y [N, out], b [out], which begins at 0.
     */
    private static final class AddedBias extends AbstractAdapterLayer {
        private final AdapterTensor bias;

        AddedBias(AdapterSetup setup, Slot slot) {
            super(slot);
            this.bias = setup.tensor(slot, "bias", Initializer.ZEROS, ((Linear) slot.layer()).outFeatures());
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            return MatrixOps.addBias(context.tape(), base.forward(context, x),
                    context.tape().parameter(bias.parameter()));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(bias);
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("the base layer has no bias to merge into");
        }
    }
}
