package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** BOFT; {@link BoftConfig} says what it computes. */
@Internal
public final class BoftMethod extends ConfiguredMethod<BoftConfig> {
    private static final Logger LOG = LoggerFactory.getLogger(BoftMethod.class);

    @Override
    protected Adapter adapter(BoftConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        BoftConfig stored = asStored(config, setup, targets);
        return targets.adapter(stored, slot -> new BoftLayer(setup, slot, stored));
    }

    /**
     * Where its CUDA extension is not installed, Hugging Face PEFT trains and runs one factor whatever the
     * configuration says, and saves the configuration as it was given.
     */
    private static BoftConfig asStored(BoftConfig config, AdapterSetup setup, Targets targets) {
        boolean hasOne = config.factors() > 1 && !targets.slots().isEmpty() && targets.slots().stream()
                .allMatch(slot -> setup.storedShape(slot, BoftLayer.BLOCKS)
                        .filter(shape -> shape.length == 4 && shape[0] == 1).isPresent());
        if (!hasOne) {
            return config;
        }
        LOG.warn("the adapter's configuration has boft_n_butterfly_factor {}, but its tensors have one factor, as "
                + "Hugging Face PEFT makes them without its CUDA extension; one factor is used", config.factors());
        return config.toBuilder().factors(1).build();
    }
}
