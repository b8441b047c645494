package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The places that an adapter takes, chosen by Hugging Face PEFT's rules, of which what PEFT silently ignores is
 * refused.
 *
 * <p>{@link NamedPlaces} says which places are taken.
 *
 * @param setup the model, and where values come from
 * @param placement what was asked for; in a new adapter with names in place of the default and of {@code all-linear},
 *     as Hugging Face PEFT writes them into a file
 * @param slots the places, in the order of the network
 */
public record Targets(AdapterSetup setup, Placement placement, List<Slot> slots) {
    private static final Logger LOG = LoggerFactory.getLogger(Targets.class);

    /**
     * The places on a model, of linear layers; without targets those that the architecture has by default.
     *
     * @throws TargetModuleException as {@link #of(Placement, AdapterSetup, List, Predicate)}
     */
    public static Targets of(Placement asked, AdapterSetup setup) {
        return of(asked, setup, setup.base().defaultTargetModules(), Linear.class::isInstance);
    }

    /**
     * The places on a model.
     *
     * @param asked what is asked for
     * @param setup the model; a stored adapter may name targets that match nothing, a new one may not
     * @param defaults names for unset targets
     * @param supported whether the method can adapt a layer
     * @throws TargetModuleException when an entry matches nothing (the message names the nearest paths), all matches
     *     are excluded, a match is of a kind that is not supported, or the targets are unset and there are no defaults
     */
    public static Targets of(Placement asked, AdapterSetup setup, List<String> defaults, Predicate<Layer> supported) {
        TargetModules resolved = resolved(asked.targetModules(), setup, defaults);
        List<Slot> slots = new NamedPlaces<>(TrainedCopies.modules(setup.network()), Slot::path,
                setup.network().description().layers(), setup.isRestoring())
                .chosen(asked, resolved, slot -> supported.test(slot.layer()));
        return new Targets(setup, setup.isRestoring() ? asked : asked.withTargetModules(resolved), slots);
    }

    // ---- the adapter's layers

    /**
     * An adapter with one layer at each place, and what is trained as a whole; the configuration gets the placement.
     */
    public <C extends PlacedConfig> Adapter adapter(C config, Function<Slot, ? extends AdapterLayer> maker) {
        return Adapter.of(named(config), layers(maker));
    }

    /** The configuration with the placement as it is stored. */
    public <C extends PlacedConfig> C named(C config) {
        return PlacedConfig.with(config, placement);
    }

    /**
     * The layers of an adapter: one for each place, and what is trained as a whole beside them.
     *
     * @param maker makes the layer of a place
     * @throws io.peft4j.core.error.ConfigurationException when a place is a target and copied, too
     */
    public List<AdapterLayer> layers(Function<Slot, ? extends AdapterLayer> maker) {
        List<AdapterLayer> layers = own(maker);
        layers.addAll(TrainedCopies.beside(setup, slots, placement.modulesToSave(), placement.bias()));
        connectBiases(layers);
        warnIfTied(layers);
        return layers;
    }

    /**
     * As {@link #layers} for a model whose output layer is the input embedding: where one of the two is trained as a
     * whole, so is the other, with one matrix, which is in the file twice, as Hugging Face PEFT does with
     * {@code ensure_weight_tying}.
     */
    public List<AdapterLayer> layersWithTies(Function<Slot, ? extends AdapterLayer> maker) {
        List<AdapterLayer> layers = own(maker);
        layers.addAll(TrainedCopies.besideTied(setup, slots, placement.modulesToSave(), placement.bias()));
        connectBiases(layers);
        return layers;
    }

    private List<AdapterLayer> own(Function<Slot, ? extends AdapterLayer> maker) {
        List<AdapterLayer> layers = new ArrayList<>();
        setup.willHave(slots.size());
        slots.forEach(slot -> layers.add(maker.apply(slot)));
        return layers;
    }

    private static void connectBiases(List<AdapterLayer> layers) {
        for (AdapterLayer trained : layers) {
            if (trained instanceof TrainedBias) {
                layers.stream().filter(layer -> layer.slot() == trained.slot() && layer != trained)
                        .forEach(layer -> layer.useBias(trained.tensors().get(0)));
            }
        }
    }

    /** Hugging Face PEFT's issue 2018 and many like it: people expect that a tied layer changes with its twin. */
    private void warnIfTied(List<AdapterLayer> layers) {
        if (!setup.network().description().tiedEmbeddings() || setup.isRestoring()) {
            return;
        }
        Slot embedding = setup.network().embedding();
        Slot head = setup.network().causal().head();
        boolean embeds = layers.stream().anyMatch(layer -> layer.slot() == embedding);
        boolean heads = layers.stream().anyMatch(layer -> layer.slot() == head);
        if (embeds || heads) {
            LOG.warn("{} and {} share one weight in the base model; this adapter changes {}, as in Hugging Face "
                    + "PEFT. A merged model has two weights", embedding.path(), head.path(),
                    embeds && heads
                            ? "each in its own way" : "only " + (embeds ? embedding : head).path());
        }
    }

    /**
     * A value for each place: that of the first expression that matches, else {@code fallback}.
     *
     * @param patterns values by expression, such as {@code rank_pattern}
     * @throws io.peft4j.core.error.ConfigurationException when an expression of a new adapter matches none of the
     *     places
     */
    @Internal
    public <T> Function<Slot, T> values(PathPatterns<T> patterns, T fallback) {
        patterns.checkUse(setup.isRestoring(), paths(slots));
        return slot -> patterns.first(slot.path()).orElse(fallback);
    }

    /**
     * Whether checkpoints hold the weights of the places as [in, out], as GPT-2's do: {@code fan_in_fan_out}, which a
     * new adapter gets automatically.
     *
     * @param asked what the configuration says
     * @throws ConfigurationException when it is asked for, and no place is so
     */
    public boolean areStoredTransposed(boolean asked) {
        boolean transposed = slots.stream().map(Slot::layer).anyMatch(layer -> layer instanceof WeightedLayer weighted
                && weighted.isStoredTransposed());
        if (asked && !transposed && !setup.isRestoring()) {
            throw new ConfigurationException("fan_in_fan_out is true, but none of the layers stores its weight as "
                    + "[in, out]; set it to false");
        }
        return transposed;
    }

    // ---- the choice

    /** The targets with names in place of the default and of {@code all-linear}. */
    static TargetModules resolved(TargetModules targets, AdapterSetup setup, List<String> defaults) {
        if (targets.isUnset()) {
            if (defaults.isEmpty()) {
                throw new TargetModuleException("no default target modules for models of type "
                        + setup.network().description().modelType()
                        + "; set target_modules, or use 'all-linear'");
            }
            return TargetModules.of(defaults);
        }
        return targets.isAllLinear() ? allLinearNames(setup.network()) : targets;
    }

    /**
     * What {@code all-linear} stands for in a network, as a list: for settings that go with lists only, such as
     * {@code layersToTransform}.
     */
    @Internal
    public static TargetModules allLinearNames(Network network) {
        return shortNames(allLinear(network), network.slots());
    }

    private static List<Slot> allLinear(Network network) {
        Set<Slot> heads = TaskHeads.places(network);
        String output = network.output().map(Slot::path).orElse("");
        return network.slots().stream().filter(slot -> slot.layer() instanceof Linear && !heads.contains(slot)
                && !slot.path().equals(output)).toList();
    }

    private static List<String> paths(List<Slot> slots) {
        return slots.stream().map(Slot::path).toList();
    }

    /** The last parts of the paths, or the whole paths where these would match other places too. */
    private static TargetModules shortNames(List<Slot> chosen, List<Slot> all) {
        Set<String> names = new LinkedHashSet<>();
        chosen.forEach(slot -> names.add(slot.name()));
        long matches = all.stream().filter(slot -> names.contains(slot.name())).count();
        return TargetModules.of(matches == chosen.size() ? List.copyOf(names) : paths(chosen));
    }
}
