package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainedCopies;
import java.util.ArrayList;
import java.util.List;

/** Full fine-tuning; {@link FullConfig} says what it trains. */
@Internal
public final class FullMethod extends ConfiguredMethod<FullConfig> {
    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    protected Adapter adapter(FullConfig config, AdapterSetup setup) {
        if (!config.targetModules().isUnset()) {
            return Targets.of(config.placement(), setup, List.of(), MergedLayer::canCopy)
                    .adapter(config, slot -> TrainedCopies.of(setup, slot));
        }
        List<Slot> slots = Targets.of(config.placement().withTargetModules(TargetModules.regex(".*")), setup, List.of(),
                layer -> true).slots().stream().filter(slot -> MergedLayer.canCopy(slot.layer())).toList();
        return Adapter.of(config, copies(setup, slots));
    }

    private static List<AdapterLayer> copies(AdapterSetup setup, List<Slot> targets) {
        Slot embedding = setup.network().embedding();
        // Without an output layer there is nothing to tie.
        Slot head = setup.network().output().orElse(embedding);
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
