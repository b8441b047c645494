package io.peft4j.methods;

import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TrainedCopies;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Full fine-tuning; {@link FullConfig} says what it trains. */
public final class FullMethod extends ModuleMethod {
    /** For the {@link java.util.ServiceLoader}. */
    public FullMethod() {
        super(FullConfig.PEFT_TYPE, "full", "all weights, or those of chosen layers",
                "https://arxiv.org/abs/1801.06146", Map.of("target-modules", "target_modules"));
    }

    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    public FullConfig readConfig(ConfigReader reader) {
        return FullConfig.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        FullConfig config = (FullConfig) peftConfig;
        if (!config.targetModules().isUnset()) {
            Placement placement = config.placement().resolved(setup, List.of());
            return placement.adapter(config.withPlacement(placement), setup,
                    placement.targets(setup, List.of(), TrainedCopies::canCopy), slot -> TrainedCopies.of(setup, slot));
        }
        Placement asked = config.placement();
        Placement everything = new Placement(TargetModules.regex(".*"), asked.excludeModules(), OneOrMany.none(),
                OneOrMany.none(), List.of(), Bias.NONE);
        List<Slot> targets = everything.targets(setup, List.of(), layer -> true).stream()
                .filter(slot -> TrainedCopies.canCopy(slot.layer())).toList();
        return Adapter.of(config, copies(setup, targets));
    }

    private static List<AdapterLayer> copies(AdapterSetup setup, List<Slot> targets) {
        Slot embedding = setup.network().embedding();
        Slot head = setup.network().head();
        boolean tied = setup.network().description().tiedEmbeddings() && targets.contains(embedding)
                && targets.contains(head);
        List<AdapterLayer> layers = new ArrayList<>();
        List<AdapterLayer> shared = tied ? TrainedCopies.tied(setup) : List.of();
        for (Slot slot : targets) {
            layers.add(tied && slot == embedding ? shared.get(0) : tied && slot == head ? shared.get(1)
                    : TrainedCopies.of(setup, slot));
        }
        return layers;
    }
}
