package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.Initializer;
import io.peft4j.core.peft.PathPatterns;
import io.peft4j.core.peft.PeftConfig;
import java.util.List;
import java.util.Map;

/** FourierFT; {@link FourierFtConfig} says what it computes. */
public final class FourierFtMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public FourierFtMethod() {
        super(FourierFtConfig.PEFT_TYPE, "fourierft", "coefficients of a Fourier transform of each target's change",
                "https://arxiv.org/abs/2405.03003", Map.of("target-modules", "target_modules"));
    }

    @Override
    public FourierFtConfig readConfig(ConfigReader reader) {
        return FourierFtConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        FourierFtConfig config = (FourierFtConfig) peftConfig;
        List<String> defaults = setup.base().defaultTargetModules();
        Placement placement = config.placement().resolved(setup, defaults);
        List<Slot> targets = placement.targets(setup, defaults, Placement::isLinear);
        PathPatterns<Integer> numbers = PathPatterns.belowAnother("n_frequency_pattern", config.frequencyPattern());
        numbers.checkUse(setup, targets);
        return placement.adapter(config.withPlacement(placement), setup, targets,
                slot -> layer(setup, slot, config, numbers.first(slot.path()).orElse(config.frequencies())));
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, FourierFtConfig config, int frequencies) {
        Linear linear = (Linear) slot.layer();
        int out = linear.outFeatures();
        int in = linear.inFeatures();
        if (frequencies > (long) out * in) {
            throw new ConfigurationException("n_frequency is " + frequencies + ", and the weight of " + slot.path()
                    + " has " + (long) out * in + " elements; take fewer");
        }
        AdapterTensor spectrum = setup.tensor(slot, "fourierft_spectrum",
                config.initWeights() ? Initializer.ZEROS : Initializer.normal(1), frequencies);
        int[] places = TorchPermutation.first(Math.multiplyExact(out, in), frequencies, config.seed());
        return new DeltaLayer(slot, spectrum, new FourierDelta(out, in, places, config.scaling()));
    }
}
