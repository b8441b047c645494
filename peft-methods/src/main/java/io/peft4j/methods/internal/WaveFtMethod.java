package io.peft4j.methods.internal;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.random.support.TorchRandom;
import io.peft4j.methods.WaveFtConfig;
import java.util.List;
import java.util.function.Function;

/** WaveFT; {@link WaveFtConfig} says what it computes. */
public final class WaveFtMethod extends ConfiguredMethod<WaveFtConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public WaveFtMethod() {
        super(WaveFtConfig.class, "waveft", "coefficients of a wavelet transform of each target's change",
                "https://arxiv.org/abs/2505.12532");
    }

    @Override
    protected Adapter adapter(WaveFtConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> numbers = config.proportional() ? inProportion(targets.slots(), config.frequencies())
                : targets.values(new PathPatterns<>("n_frequency_pattern", config.frequencyPattern()),
                        config.frequencies());
        WaveFtConfig stored = config.toBuilder().fanInFanOut(targets.areStoredTransposed(config.fanInFanOut()))
                .build();
        return targets.adapter(stored, slot -> layer(setup, slot, config, numbers.apply(slot)));
    }

    private static long elements(Slot slot) {
        Linear linear = (Linear) slot.layer();
        return (long) linear.outFeatures() * linear.inFeatures();
    }

    /** As Python rounds. */
    private static Function<Slot, Integer> inProportion(List<Slot> slots, int frequencies) {
        double all = slots.stream().mapToLong(WaveFtMethod::elements).sum();
        return slot -> Math.max(1, (int) Math.rint(elements(slot) / all * ((double) frequencies * slots.size())));
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, WaveFtConfig config, int frequencies) {
        Linear linear = (Linear) slot.layer();
        int out = linear.outFeatures();
        int in = linear.inFeatures();
        if (frequencies > elements(slot)) {
            throw new ConfigurationException("n_frequency is " + frequencies + ", and the weight of " + slot.path()
                    + " has " + elements(slot) + " elements; use fewer");
        }
        AdapterTensor spectrum = setup.tensor(slot, "waveft_spectrum",
                config.initWeights() ? Initializer.ZEROS : Initializer.normal(0.01), frequencies);
        int[] places = new TorchRandom(config.seed()).permutation(Math.multiplyExact(out, in), frequencies);
        return new ParameterDelta(setup, slot, spectrum, config.transformed()
                ? new WaveletDelta(out, in, places, Daubechies.filter(Integer.parseInt(config.wavelet().substring(2))),
                        config.scaling())
                : new ScatteredDelta(out, in, frequencies, i -> places[i], i -> i, config.scaling()));
    }
}
