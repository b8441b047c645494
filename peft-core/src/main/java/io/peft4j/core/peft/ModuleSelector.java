package io.peft4j.core.peft;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NearNames;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses the places that an adapter takes, by Hugging Face PEFT's rules, and refuses what PEFT silently ignores.
 *
 * <p>A place is taken where {@code targets} match it (see {@link TargetModules}), {@code excluded} do not, no entry of
 * {@code modulesToSave} matches a part of its path, and, where {@code layersToTransform} are given and the place was
 * not named by its whole path, the number of its layer is among them. That number is the first one in the path that
 * follows a name and a dot, or the one after {@code layersPattern}.
 *
 * @param targets what to adapt; unset means the default of the architecture
 * @param excluded what not to adapt
 * @param layersToTransform layer numbers, only with targets that are names
 * @param layersPattern names of the list of layers, for instance {@code layers}; regular expressions
 * @param modulesToSave places that are trained as a whole and so cannot be adapted
 */
public record ModuleSelector(TargetModules targets, TargetModules excluded, OneOrMany<Integer> layersToTransform,
        OneOrMany<String> layersPattern, List<String> modulesToSave) {
    private static final Logger LOG = LoggerFactory.getLogger(ModuleSelector.class);
    private static final PathPattern FIRST_NUMBER = PathPattern.of("layers_pattern", ".*?\\.[^.]*\\.(?<idx>\\d+)\\.");

    /**
     * Checks that the parts go together.
     *
     * @throws ConfigurationException when layers are chosen together with a regular expression, or a pattern is given
     *     without layers
     */
    public ModuleSelector {
        Objects.requireNonNull(targets, "targets");
        Objects.requireNonNull(excluded, "excluded");
        modulesToSave = List.copyOf(modulesToSave);
        if (targets.text().isPresent() && !(layersToTransform.isEmpty() && layersPattern.isEmpty())) {
            throw new ConfigurationException("layers_to_transform and layers_pattern work with a list of "
                    + "target_modules only, and target_modules is '" + targets
                    + "'; write the layers into the expression");
        }
        if (layersToTransform.isEmpty() && !layersPattern.isEmpty()) {
            throw new ConfigurationException("layers_pattern needs layers_to_transform");
        }
        if (excluded.isAllLinear()) {
            throw new ConfigurationException("exclude_modules cannot be 'all-linear'; list the layers");
        }
    }

    /** Targets alone. */
    public static ModuleSelector of(TargetModules targets) {
        return new ModuleSelector(targets, TargetModules.UNSET, OneOrMany.none(), OneOrMany.none(), List.of());
    }

    /**
     * The targets with names in place of the default and of {@code all-linear}, as Hugging Face PEFT writes them into
     * an adapter's file.
     *
     * @param defaults names for unset targets
     * @throws TargetModuleException when the targets are unset and there are no defaults
     */
    public TargetModules resolved(AdapterSetup setup, List<String> defaults) {
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
     * The places that the adapter takes, in the order of the network.
     *
     * @param setup the model; a stored adapter may name targets that match nothing, a new one may not
     * @param defaults names for unset targets
     * @param supported whether the method can adapt a layer
     * @throws TargetModuleException when an entry matches nothing (the message names the nearest paths), all matches
     *     are excluded, or a match is of a kind that is not supported
     */
    public List<Slot> select(AdapterSetup setup, List<String> defaults, Predicate<Layer> supported) {
        List<Slot> slots = setup.network().slots();
        TargetModules names = targets.isAllLinear() ? targets : resolved(setup, defaults);
        Set<String> linear = targets.isAllLinear() ? Set.copyOf(paths(allLinear(setup.network()))) : Set.of();
        PathMatcher target = targets.isAllLinear() ? linear::contains : PathMatcher.of("target_modules", names);
        PathMatcher exclusion = PathMatcher.of("exclude_modules", excluded);
        PathMatcher saved = savedMatcher();
        List<Slot> matched = slots.stream().filter(slot -> target.matches(slot.path())).toList();
        if (setup.isRestoring()) {
            warnUnmatched(names, slots);
        } else {
            requireMatches(names, slots);
        }
        List<Slot> chosen = new ArrayList<>();
        Set<Integer> layersSeen = new LinkedHashSet<>();
        int left = 0;
        for (Slot slot : matched) {
            if (exclusion.matches(slot.path()) || saved.matches(slot.path())) {
                left++;
            } else if (isInLayers(slot.path(), names, layersSeen)) {
                chosen.add(slot);
            }
        }
        check(setup, chosen, matched, left, layersSeen, supported);
        return List.copyOf(chosen);
    }

    /**
     * What {@code all-linear} stands for in a network, as a list: for settings that go with lists only, such as
     * {@code layersToTransform}.
     */
    public static TargetModules allLinearNames(CausalNetwork network) {
        return shortNames(allLinear(network), network.slots());
    }

    private static List<Slot> allLinear(CausalNetwork network) {
        Slot head = network.head();
        return network.slots().stream()
                .filter(slot -> slot.layer() instanceof Linear && !slot.path().equals(head.path())).toList();
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

    /** PEFT: an entry of modules_to_save is an expression for one or more whole parts of the path. */
    private PathMatcher savedMatcher() {
        List<PathPattern> patterns = modulesToSave.stream()
                .map(name -> PathPattern.of("modules_to_save", "(^|.*\\.)" + name + "($|\\..*)")).toList();
        return path -> patterns.stream().anyMatch(pattern -> pattern.matchesBeginning(path));
    }

    private boolean isInLayers(String path, TargetModules names, Set<Integer> seen) {
        if (layersToTransform.isEmpty() || names.names().orElse(List.of()).contains(path)) {
            return true;
        }
        String number = "";
        if (layersPattern.isEmpty()) {
            number = FIRST_NUMBER.groupFromBeginning(path, "idx");
        }
        for (String name : layersPattern.values()) {
            if (number.isEmpty()) {
                number = PathPattern.of("layers_pattern", "(?:^|.*?\\.)" + name + "\\.(?<idx>\\d+)\\.")
                        .groupFromBeginning(path, "idx");
            }
        }
        if (number.isEmpty() || number.length() > 9 || !layersToTransform.values().contains(Integer.valueOf(number))) {
            return false;
        }
        seen.add(Integer.valueOf(number));
        return true;
    }

    private void requireMatches(TargetModules names, List<Slot> slots) {
        for (String name : names.names().orElse(List.of())) {
            if (slots.stream().noneMatch(slot -> TargetModules.named(slot.path(), name))) {
                throw new TargetModuleException("target_modules: '" + name + "' matches no layer; "
                        + nearest(name, slots));
            }
        }
    }

    private static void warnUnmatched(TargetModules names, List<Slot> slots) {
        List<String> unmatched = names.names().orElse(List.of()).stream()
                .filter(name -> slots.stream().noneMatch(slot -> TargetModules.named(slot.path(), name))).toList();
        if (!unmatched.isEmpty()) {
            LOG.warn("target_modules of the stored adapter match no layer of this model: {}", unmatched);
        }
    }

    /** Compares a short name with the last parts of paths, a longer one with whole paths. */
    private static String nearest(String name, List<Slot> slots) {
        Set<String> candidates = new LinkedHashSet<>();
        slots.forEach(slot -> candidates.add(name.contains(".") ? slot.path() : slot.name()));
        List<String> near = NearNames.of(name, candidates, 3);
        List<String> examples = near.stream()
                .map(n -> slots.stream().map(Slot::path).filter(path -> TargetModules.named(path, n)).findFirst()
                        .orElseThrow()).toList();
        return "the nearest layers are " + examples;
    }

    private void check(AdapterSetup setup, List<Slot> chosen, List<Slot> matched, int left, Set<Integer> layersSeen,
            Predicate<Layer> supported) {
        List<Slot> slots = setup.network().slots();
        if (matched.isEmpty()) {
            throw new TargetModuleException("target_modules '" + targets + "' matches none of the "
                    + slots.size() + " layers; their paths look like "
                    + paths(slots).subList(0, Math.min(3, slots.size())));
        }
        if (chosen.isEmpty() && left == matched.size()) {
            throw new TargetModuleException("all " + left + " layers that target_modules " + targets + " matches "
                    + "are excluded by exclude_modules " + excluded + " or modules_to_save " + modulesToSave);
        }
        List<Integer> unseen = new ArrayList<>(layersToTransform.values());
        unseen.removeAll(layersSeen);
        if (chosen.isEmpty() || !unseen.isEmpty() && !setup.isRestoring()) {
            throw new TargetModuleException("layers_to_transform " + layersToTransform.values()
                    + (layersPattern.isEmpty() ? "" : " with layers_pattern " + layersPattern.values())
                    + " matches no layer for " + (unseen.isEmpty() ? layersToTransform.values() : unseen)
                    + "; the model has layers 0 to " + (setup.network().description().layers() - 1));
        }
        List<Slot> unsupported = chosen.stream().filter(slot -> !supported.test(slot.layer())).toList();
        if (!unsupported.isEmpty()) {
            throw new TargetModuleException("target_modules " + targets + " matches layers of a kind that this method "
                    + "cannot adapt: " + unsupported.subList(0, Math.min(5, unsupported.size()))
                    + (unsupported.size() > 5 ? " and " + (unsupported.size() - 5) + " more" : "")
                    + "; make the names or the expression more precise");
        }
        PathMatcher exclusion = PathMatcher.of("exclude_modules", excluded);
        if (!excluded.isUnset() && slots.stream().noneMatch(slot -> exclusion.matches(slot.path()))) {
            LOG.warn("exclude_modules {} matches no layer", excluded);
        }
    }

    /** Whether a path is meant. */
    @FunctionalInterface
    private interface PathMatcher {
        boolean matches(String path);

        static PathMatcher of(String key, TargetModules modules) {
            if (modules.text().isPresent()) {
                PathPattern pattern = PathPattern.of(key, modules.text().get());
                return pattern::matchesAll;
            }
            List<String> names = modules.names().orElse(List.of());
            return path -> names.stream().anyMatch(name -> TargetModules.named(path, name));
        }
    }
}
