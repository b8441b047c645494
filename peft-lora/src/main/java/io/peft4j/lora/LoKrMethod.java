package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import java.util.function.Function;

/** LoKr; {@link LoKrConfig} says what it computes. */
@Internal
public final class LoKrMethod extends ConfiguredMethod<LoKrConfig> {
    @Override
    protected Adapter adapter(LoKrConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> ranks = targets.values(new PathPatterns<>("rank_pattern", config.rankPattern()),
                config.rank());
        Function<Slot, Double> alphas = targets.values(new PathPatterns<>("alpha_pattern", config.alphaPattern()),
                config.alpha());
        return targets.adapter(config,
                slot -> new LoKrLayer(setup, slot, config, ranks.apply(slot), alphas.apply(slot)));
    }
}
