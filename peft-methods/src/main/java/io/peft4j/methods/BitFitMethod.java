package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainedCopies;
import java.util.List;

/** BitFit; {@link BitFitConfig} says what it trains. */
@Internal
public final class BitFitMethod extends ConfiguredMethod<BitFitConfig> {
    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    protected Adapter adapter(BitFitConfig config, AdapterSetup setup) {
        Placement asked = config.placement();
        Targets all = Targets.of(
                asked.targetModules().isUnset() ? asked.withTargetModules(TargetModules.ALL_LINEAR) : asked,
                setup);
        List<Slot> slots = all.slots().stream().filter(slot -> config.addBiases() || hasBias(slot)).toList();
        Checks.require(!slots.isEmpty(), "none of the layers has a bias; set add_biases to true, or choose other "
                + "layers");
        return new Targets(setup, all.placement(), slots).adapter(config, slot -> hasBias(slot)
                ? TrainedCopies.biasOf(setup, slot, false)
                : new BeftMethod.OutputBias(setup, slot, "bias", Initializer.ZEROS,
                        ((Linear) slot.layer()).outFeatures()));
    }

    private static boolean hasBias(Slot slot) {
        return ((Linear) slot.layer()).bias().isPresent();
    }
}
