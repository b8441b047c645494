package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.DerivedAdapter;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.AdapterLayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A new IA3 adapter out of several on the same model, as Hugging Face PEFT's {@code add_weighted_adapter} makes it: at
 * each place {@code l = w_1 l_1 + w_2 l_2 + ...} over the adapters that have the place. Weights may be negative. Where
 * they do not sum to 1, the new adapter scales also what none of the others changes.
 *
 * <pre>{@code
 * new Ia3Combination().adapter("support", 0.5).adapter("sales", 0.5).addTo(model, "both");
 * }</pre>
 */
@Internal
public final class Ia3Combination {
    private final List<Part> parts = new ArrayList<>();

    private record Part(String adapter, double weight) {
    }

    /** A combination of no adapters yet. */
    public Ia3Combination() {
    }

    /**
     * Adds an adapter.
     *
     * @throws ConfigurationException when the weight is not a number
     */
    public Ia3Combination adapter(String name, double weight) {
        Checks.finite("the weight of adapter '" + name + "' in a combination", weight);
        parts.add(new Part(name, weight));
        return this;
    }

    /**
     * Makes the adapter and adds it to the model; what is active does not change.
     *
     * @param model the model that has the adapters
     * @param name the new adapter's name
     * @throws ConfigurationException when there are no adapters, one is not IA3 or has trained copies of layers, two
     *     scale different sides of one place, or the name is taken
     */
    public void addTo(PeftModel model, String name) {
        Checks.require(!parts.isEmpty(), "a combination needs at least one adapter");
        List<Source> sources = parts.stream().map(part -> Source.of(model, part)).toList();
        Map<String, Boolean> sides = new LinkedHashMap<>();
        sources.forEach(source -> source.layers().forEach((path, layer) -> {
            Boolean other = sides.putIfAbsent(path, layer.scalesInput());
            Checks.require(other == null || other == layer.scalesInput(), "the adapters cannot be combined: at "
                    + path + " one scales the input (feedforward_modules) and another the output");
        }));
        DerivedAdapter.add(model, name, config(sources, sides),
                made -> made.layers().forEach(layer -> combine(sources, (Ia3Layer) layer)));
    }

    private record Source(Ia3Config config, double weight, Map<String, Ia3Layer> layers) {
        static Source of(PeftModel model, Part part) {
            if (!(model.adapter(part.adapter()).config() instanceof Ia3Config config)) {
                throw new ConfigurationException("adapter '" + part.adapter() + "' cannot be combined with IA3: its "
                        + "method is " + model.adapter(part.adapter()).config().peftType());
            }
            Map<String, Ia3Layer> layers = new LinkedHashMap<>();
            for (AdapterLayer layer : model.adapter(part.adapter()).layers()) {
                if (!(layer instanceof Ia3Layer vector)) {
                    throw new ConfigurationException("adapter '" + part.adapter() + "' cannot be combined: it has a "
                            + "trained copy of " + layer.slot().path() + "; train it without modules_to_save");
                }
                layers.put(layer.slot().path(), vector);
            }
            return new Source(config, part.weight(), layers);
        }

        private boolean byName() {
            return config.placement().targetModules().names().isPresent()
                    && config.placement().excludeModules().isUnset() && config.feedforwardModules().text().isEmpty();
        }
    }

    /** With the targets of all; by path where lists of names would not give just these. */
    private static Ia3Config config(List<Source> sources, Map<String, Boolean> sides) {
        Set<String> targets = new TreeSet<>();
        Set<String> feedforward = new TreeSet<>();
        if (sources.stream().allMatch(Source::byName)) {
            sources.forEach(source -> {
                targets.addAll(source.config().targetModules().names().orElseThrow());
                feedforward.addAll(source.config().feedforwardModules().names().orElse(List.of()));
            });
        } else {
            sides.forEach((path, input) -> (input ? feedforward : targets).add(path));
            targets.addAll(feedforward);
        }
        // Files of Hugging Face PEFT may have names that match nothing, and a new adapter must not.
        TargetModules known = TargetModules.of(targets).among(sides.keySet());
        feedforward.retainAll(new LinkedHashSet<>(known.names().orElseThrow()));
        Ia3Config first = sources.get(0).config();
        return Ia3Config.builder().common(first.common().withOtherKeys(Map.of())).targetModules(known)
                .feedforwardModules(TargetModules.of(feedforward)).fanInFanOut(first.fanInFanOut()).build();
    }

    private static void combine(List<Source> sources, Ia3Layer target) {
        double[] sum = new double[target.values().length];
        for (Source source : sources) {
            Ia3Layer layer = source.layers().get(target.slot().path());
            if (layer != null) {
                Checks.require(layer.scalesInput() == target.scalesInput(), "the adapters cannot be combined: a "
                        + "name in feedforward_modules of one covers " + target.slot().path() + " of another");
                float[] values = layer.values();
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += source.weight() * values[i];
                }
            }
        }
        target.set(sum);
    }
}
