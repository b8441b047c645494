package io.peft4j.lora.internal;

import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.lora.LoHaConfig;
import java.util.function.Function;

/** LoHa; {@link LoHaConfig} says what it computes. */
public final class LoHaMethod extends ConfiguredMethod<LoHaConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public LoHaMethod() {
        super(LoHaConfig.class, "loha",
                "the elementwise product of two low-rank matrices beside the frozen weight of each target",
                "https://arxiv.org/abs/2108.06098");
    }

    @Override
    protected Adapter adapter(LoHaConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> ranks = targets.values(new PathPatterns<>("rank_pattern", config.rankPattern()),
                config.rank());
        Function<Slot, Double> alphas = targets.values(new PathPatterns<>("alpha_pattern", config.alphaPattern()),
                config.alpha());
        return targets.adapter(config,
                slot -> new LoHaLayer(setup, slot, config, ranks.apply(slot), alphas.apply(slot)));
    }
}
