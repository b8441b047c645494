package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TrainedCopies;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where an adapter's layers sit, and which parts of the base are trained as a whole beside them. A method uses those of
 * the values that Hugging Face PEFT's configuration of it has; the others stay at their defaults.
 *
 * @param targetModules {@code target_modules}: the adapted layers; default what the method has for the architecture
 * @param excludeModules {@code exclude_modules}: targets that are not adapted; default none
 * @param layersToTransform {@code layers_to_transform}: numbers of the adapted layers; default all
 * @param layersPattern {@code layers_pattern}: name of the list of layers; default any
 * @param modulesToSave {@code modules_to_save}: layers that are trained as a whole; default none
 * @param bias {@code bias}: which biases of the base are trained; default none
 */
public record Placement(TargetModules targetModules, TargetModules excludeModules,
        OneOrMany<Integer> layersToTransform, OneOrMany<String> layersPattern, List<String> modulesToSave,
        Bias bias) {
    private static final Logger LOG = LoggerFactory.getLogger(Placement.class);

    /**
     * Checks that targets, layers and pattern go together.
     *
     * @throws ConfigurationException when they do not
     */
    public Placement {
        Objects.requireNonNull(targetModules, "targetModules");
        Objects.requireNonNull(excludeModules, "excludeModules");
        Objects.requireNonNull(layersToTransform, "layersToTransform");
        Objects.requireNonNull(layersPattern, "layersPattern");
        Objects.requireNonNull(bias, "bias");
        modulesToSave = List.copyOf(modulesToSave);
        new ModuleSelector(targetModules, excludeModules, layersToTransform, layersPattern, modulesToSave);
    }

    /** All at their defaults. */
    public static Placement defaults() {
        return at(TargetModules.UNSET);
    }

    /** Layers by name. */
    public static Placement at(String... names) {
        return at(TargetModules.of(names));
    }

    /** Layers by name, expression, or {@link TargetModules#ALL_LINEAR}. */
    public static Placement at(TargetModules targets) {
        return new Placement(targets, TargetModules.UNSET, OneOrMany.none(), OneOrMany.none(), List.of(), Bias.NONE);
    }

    /** The same without some of the targets. */
    public Placement excluding(String... names) {
        return new Placement(targetModules, TargetModules.of(names), layersToTransform, layersPattern, modulesToSave,
                bias);
    }

    /** The same in some of the decoder layers only. */
    public Placement inLayers(Integer... numbers) {
        return new Placement(targetModules, excludeModules, OneOrMany.many(List.of(numbers)), layersPattern,
                modulesToSave, bias);
    }

    /** The same with layers that are trained as a whole beside the adapted ones. */
    public Placement saving(String... names) {
        return new Placement(targetModules, excludeModules, layersToTransform, layersPattern, List.of(names), bias);
    }

    /** The same with trained biases. */
    public Placement withBiases(Bias trained) {
        return new Placement(targetModules, excludeModules, layersToTransform, layersPattern, modulesToSave, trained);
    }

    /** The same with names in place of the default and of {@code all-linear}, as they are written into a file. */
    Placement resolved(AdapterSetup setup, List<String> defaults) {
        return setup.isRestoring() ? this : new Placement(selector().resolved(setup, defaults), excludeModules,
                layersToTransform, layersPattern, modulesToSave, bias);
    }

    private ModuleSelector selector() {
        return new ModuleSelector(targetModules, excludeModules, layersToTransform, layersPattern, modulesToSave);
    }

    /** The adapted places. */
    List<Slot> targets(AdapterSetup setup, List<String> defaults, Predicate<Layer> supported) {
        return selector().select(setup, defaults, supported);
    }

    /**
     * An adapter with one layer at each adapted place, and what is trained as a whole.
     *
     * @param config the configuration, with targets that are resolved
     * @param targets the adapted places
     * @param layer makes the method's layer for a place
     */
    Adapter adapter(PeftConfig config, AdapterSetup setup, List<Slot> targets, Function<Slot, AdapterLayer> layer) {
        List<AdapterLayer> layers = new ArrayList<>();
        targets.forEach(slot -> layers.add(layer.apply(slot)));
        layers.addAll(TrainedCopies.beside(setup, targets, modulesToSave, bias));
        warnIfTied(setup, layers);
        return Adapter.of(config, layers);
    }

    /** Whether a layer is linear. */
    static boolean isLinear(Layer layer) {
        return layer instanceof Linear;
    }

    private static void warnIfTied(AdapterSetup setup, List<AdapterLayer> layers) {
        if (!setup.network().description().tiedEmbeddings() || setup.isRestoring()) {
            return;
        }
        Slot embedding = setup.network().embedding();
        Slot head = setup.network().head();
        boolean embeds = layers.stream().anyMatch(layer -> layer.slot() == embedding);
        boolean heads = layers.stream().anyMatch(layer -> layer.slot() == head);
        if (embeds != heads) {
            LOG.warn("{} and {} share one weight in the base model; this adapter changes only {}, as in Hugging Face "
                    + "PEFT. A merged model has two weights", embedding.path(), head.path(),
                    (embeds ? embedding : head).path());
        }
    }
}
