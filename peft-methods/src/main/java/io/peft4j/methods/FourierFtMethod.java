package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
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
import io.peft4j.core.random.TorchRandom;
import java.util.function.Function;

/** FourierFT; {@link FourierFtConfig} says what it computes. */
@Internal
public final class FourierFtMethod extends ConfiguredMethod<FourierFtConfig> {
    @Override
    protected Adapter adapter(FourierFtConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> numbers = targets.values(PathPatterns.belowAnother("n_frequency_pattern",
                config.frequencyPattern()), config.frequencies());
        return targets.adapter(config, slot -> layer(setup, slot, config, numbers.apply(slot)));
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, FourierFtConfig config, int frequencies) {
        Linear linear = (Linear) slot.layer();
        int out = linear.outFeatures();
        int in = linear.inFeatures();
        if (frequencies > (long) out * in) {
            throw new ConfigurationException("n_frequency is " + frequencies + ", and the weight of " + slot.path()
                    + " has " + (long) out * in + " elements; use fewer");
        }
        AdapterTensor spectrum = setup.tensor(slot, "fourierft_spectrum",
                config.initWeights() ? Initializer.ZEROS : Initializer.normal(1), frequencies);
        int[] places = new TorchRandom(config.seed()).permutation(Math.multiplyExact(out, in), frequencies);
        FourierDelta delta = new FourierDelta(out, in, places, config.scaling());
        return new ParameterDelta(setup, slot, spectrum, delta) {
            /** By fast transforms where gradients are wanted, which few rows would not pay for. */
            @Override
            protected Variable change(ForwardContext context, Variable x) {
                Tape tape = context.tape();
                return tape.isRecording() ? delta.product(tape, x, tape.parameter(spectrum.parameter()))
                        : super.change(context, x);
            }

            @Override
            protected boolean joinsWeights() {
                return false;
            }
        };
    }
}
