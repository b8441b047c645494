package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TrainedCopies;
import java.util.List;
import java.util.Map;

/** BitFit; {@link BitFitConfig} says what it trains. */
public final class BitFitMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public BitFitMethod() {
        super(BitFitConfig.PEFT_TYPE, "bitfit", "the biases of linear layers, new ones where there are none",
                "https://arxiv.org/abs/2106.10199", Map.of("target-modules", "target_modules"));
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    public BitFitConfig readConfig(ConfigReader reader) {
        return BitFitConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        BitFitConfig config = (BitFitConfig) peftConfig;
        Placement asked = config.placement();
        if (asked.targetModules().isUnset()) {
            asked = new Placement(TargetModules.ALL_LINEAR, asked.excludeModules(), asked.layersToTransform(),
                    asked.layersPattern(), asked.modulesToSave(), asked.bias());
        }
        Placement placement = asked.resolved(setup, List.of());
        List<Slot> targets = placement.targets(setup, List.of(), Placement::isLinear).stream()
                .filter(slot -> config.addBiases() || hasBias(slot)).toList();
        if (targets.isEmpty()) {
            throw new ConfigurationException("none of the layers has a bias; turn add_biases on, or name other layers");
        }
        return placement.adapter(config.withPlacement(placement), setup, targets, slot -> hasBias(slot)
                ? TrainedCopies.biasOf(setup, slot, false) : new AddedBias(setup, slot));
    }

    private static boolean hasBias(Slot slot) {
        return ((Linear) slot.layer()).bias().isPresent();
    }
}
