package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.PathPatterns;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TrainedCopies;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** What methods that adapt linear layers share: keys, checks, and the choice of layers with their ranks. */
final class Targets {
    private Targets() {
    }

    // ---- configuration

    static ModuleSelector read(ConfigReader reader, boolean exclusions) {
        return checked(reader, () -> new ModuleSelector(reader.modules("target_modules"),
                exclusions ? reader.modules("exclude_modules") : TargetModules.UNSET,
                reader.oneOrMoreIntegers("layers_to_transform"), reader.oneOrMoreTexts("layers_pattern"),
                reader.texts("modules_to_save")));
    }

    static ConfigWriter write(ConfigWriter writer, ModuleSelector modules, boolean exclusions) {
        if (exclusions) {
            writer.put("exclude_modules", modules.excluded());
        }
        return writer.put("target_modules", modules.targets())
                .put("layers_to_transform", modules.layersToTransform())
                .put("layers_pattern", modules.layersPattern())
                .putList("modules_to_save", modules.modulesToSave());
    }

    /** Puts the name of the file before what is wrong with a value. */
    static <T> T checked(ConfigReader reader, Supplier<T> values) {
        try {
            return values.get();
        } catch (ConfigurationException e) {
            String message = e.getMessage();
            throw message.startsWith(reader.source()) ? e
                    : new ConfigurationException(reader.source() + ": " + message, e);
        }
    }

    static void require(boolean ok, String message) {
        if (!ok) {
            throw new ConfigurationException(message);
        }
    }

    static void requireProbability(String key, double value) {
        require(value >= 0 && value < 1, key + " is " + value + "; it must be at least 0 and below 1");
    }

    static void requireRanks(Map<String, Integer> rankPattern) {
        rankPattern.forEach((key, value) -> require(value > 0,
                "rank_pattern: the rank of '" + key + "' is " + value + "; it must be at least 1"));
    }

    // ---- layers

    /** Makes the adapter's layer at a place. */
    @FunctionalInterface
    interface Ranked {
        AdapterLayer make(Slot slot, int rank, double alpha);
    }

    /** The linear layers that are adapted. */
    static List<Slot> select(AdapterSetup setup, ModuleSelector modules) {
        return modules.select(setup, setup.base().defaultTargetModules(), Linear.class::isInstance);
    }

    /** The layers of an adapter: one for each target, and what is trained as a whole. */
    static List<AdapterLayer> layers(AdapterSetup setup, ModuleSelector modules, Bias bias,
            Function<Slot, AdapterLayer> maker) {
        List<Slot> targets = select(setup, modules);
        List<AdapterLayer> layers = new ArrayList<>();
        targets.forEach(slot -> layers.add(maker.apply(slot)));
        layers.addAll(TrainedCopies.beside(setup, targets, modules.modulesToSave(), bias));
        return layers;
    }

    /** As {@link #layers}, with ranks and alphas by path. */
    static List<AdapterLayer> ranked(AdapterSetup setup, ModuleSelector modules, Map<String, Integer> rankPattern,
            Map<String, Double> alphaPattern, int rank, double alpha, Ranked maker) {
        PathPatterns<Integer> ranks = new PathPatterns<>("rank_pattern", rankPattern);
        PathPatterns<Double> alphas = new PathPatterns<>("alpha_pattern", alphaPattern);
        List<Slot> targets = select(setup, modules);
        ranks.checkUse(setup, targets);
        alphas.checkUse(setup, targets);
        return layers(setup, modules, Bias.NONE, slot -> maker.make(slot, ranks.first(slot.path()).orElse(rank),
                alphas.first(slot.path()).orElse(alpha)));
    }

    /** The choice with names in place of the default and of {@code all-linear}, as it is stored. */
    static ModuleSelector resolved(AdapterSetup setup, ModuleSelector modules) {
        return setup.isRestoring() ? modules : new ModuleSelector(
                modules.resolved(setup, setup.base().defaultTargetModules()), modules.excluded(),
                modules.layersToTransform(), modules.layersPattern(), modules.modulesToSave());
    }
}
