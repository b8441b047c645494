package io.peft4j.lora;

import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import java.util.List;

/** A configuration that has LoRA's values: LoRA's own, and those of methods that are LoRA with something more. */
interface LoraBased extends PlacedConfig {
    /** LoRA's values. */
    LoraConfig lora();

    @Override
    default CommonConfig common() {
        return lora().common();
    }

    @Override
    default Placement placement() {
        return lora().placement();
    }

    @Override
    default BaseLanguageModel modelOn(BaseLanguageModel base) {
        List<Integer> order = LayerRange.layers(lora().layerReplication());
        return order.isEmpty() || order.equals(base.layerOrder()) ? base : base.withLayers(order);
    }
}
