package io.peft4j.lora;

import io.peft4j.core.peft.AdapterSetup;
import java.util.List;

/** How all layers of a LoRA adapter begin, where A and B are not drawn each by itself. */
@FunctionalInterface
interface LoraBeginning {
    /**
     * Gives targets their first values, and where that belongs to it other ranks.
     *
     * @param setup the model, the source of randomness, and the data where it needs some
     * @param config the adapter's configuration
     * @param targets all targets, embeddings too, in the order of the network
     * @return the targets that are adapted; those without first values are drawn as usual
     * @throws io.peft4j.core.error.ConfigurationException when it cannot be computed
     */
    List<LoraTarget> begin(AdapterSetup setup, LoraConfig config, List<LoraTarget> targets);

    /** One that looks at each linear layer by itself. */
    static LoraBeginning eachLayer(LoraStart.Maker maker) {
        return (setup, config, targets) -> targets.stream().map(target -> !target.isLinear() ? target
                : target.startingWith(() -> maker.make(target.linear().weight(), target.rank(),
                        config.scaling(target.rank(), target.alpha()), setup.random()))).toList();
    }
}
