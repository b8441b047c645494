package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.Optional;

/** IA3; {@link Ia3Config} says what it computes. */
@Internal
public final class Ia3Method extends ConfiguredMethod<Ia3Config> {
    /** Hugging Face PEFT's targets by {@code model_type}; all have {@code down_proj} as feed-forward layer. */
    private static final ModelDefaults TARGETS = new ModelDefaults()
            .and(List.of("k_proj", "v_proj", "down_proj"), "llama", "mistral")
            .and(List.of("q_proj", "v_proj", "down_proj"), "llama4", "gemma", "gemma2", "gemma3_text", "qwen2",
                    "qwen3");
    private static final List<String> FEEDFORWARD = List.of("down_proj");

    @Override
    protected Adapter adapter(Ia3Config config, AdapterSetup setup) {
        List<String> defaults = TARGETS.of(setup);
        Targets targets = Targets.of(config.placement(), setup, defaults, Linear.class::isInstance);
        TargetModules feedforward = config.feedforwardModules().isUnset() && !defaults.isEmpty()
                ? amongTargets(targets.placement()) : config.feedforwardModules();
        Ia3Config resolved = setup.isRestoring() ? config : config.toBuilder().placement(targets.placement())
                .feedforwardModules(feedforward).fanInFanOut(targets.areStoredTransposed(config.fanInFanOut()))
                .build();
        return targets.adapter(resolved,
                slot -> new Ia3Layer(setup, slot, isFeedforward(feedforward, slot), config.initWeights()));
    }

    /** Hugging Face PEFT refuses to read a file in which a feed-forward module is not a target. */
    private static TargetModules amongTargets(Placement placement) {
        Optional<List<String>> targets = placement.targetModules().names();
        return TargetModules.of(FEEDFORWARD.stream()
                .filter(name -> targets.isEmpty() || targets.get().contains(name)).toList());
    }

    /** The end of the path may be within one of its parts, as in Hugging Face PEFT. */
    private static boolean isFeedforward(TargetModules feedforward, Slot slot) {
        return feedforward.text().isPresent() ? feedforward.matches("feedforward_modules", slot.path())
                : feedforward.names().orElse(List.of()).stream().anyMatch(name -> slot.path().endsWith(name));
    }
}
