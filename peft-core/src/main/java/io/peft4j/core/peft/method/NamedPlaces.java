package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.peft.config.PathPattern;
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
 * The places of a network by name, and which of them an adapter takes, by Hugging Face PEFT's rules, of which what PEFT
 * silently ignores is refused. The network may be of any kind.
 *
 * <p>A place is taken where {@code target_modules} match it (see {@link TargetModules}), {@code exclude_modules} do
 * not, no entry of {@code modules_to_save} matches a part of its path, and, where {@code layers_to_transform} are
 * given and the place was not named by its whole path, the number of its layer is among them. That number is the first
 * one in the path that follows a name and a dot, or the one after {@code layers_pattern}.
 *
 * @param <P> a place; its text names the layer in messages
 * @param all the places, in the order of the network
 * @param path the path of a place: names joined by dots
 * @param layers how many layers the network counts, for messages
 * @param stored whether the adapter is a stored one, which may name targets that match nothing
 */
@Internal(shared = true)
public record NamedPlaces<P>(List<P> all, Function<P, String> path, int layers, boolean stored) {
    private static final Logger LOG = LoggerFactory.getLogger(NamedPlaces.class);
    private static final PathPattern FIRST_NUMBER = PathPattern.of("layers_pattern", ".*?\\.[^.]*\\.(?<idx>\\d+)\\.");

    /** Copies the list. */
    public NamedPlaces {
        all = List.copyOf(all);
    }

    /**
     * The places that a placement means.
     *
     * @param asked what is asked for
     * @param targets its targets, with names in place of a default and of {@code all-linear}
     * @param supported whether the method can adapt a place
     * @throws TargetModuleException when an entry of a new adapter matches nothing (the message names the nearest
     *     paths), all matches are excluded, or a match is of a kind that is not supported
     */
    public List<P> chosen(Placement asked, TargetModules targets, Predicate<P> supported) {
        return new Choice<>(this, asked, targets).places(supported);
    }

    /**
     * Which paths {@code modules_to_save} mean: an entry is an expression for one or more whole parts of the path.
     *
     * @throws io.peft4j.core.error.ConfigurationException when an entry is not a regular expression
     */
    public static Predicate<String> saved(List<String> modulesToSave) {
        List<PathPattern> patterns = modulesToSave.stream()
                .map(name -> PathPattern.of("modules_to_save", "(^|.*\\.)" + name + "($|\\..*)")).toList();
        return path -> patterns.stream().anyMatch(pattern -> pattern.matchesBeginning(path));
    }

    private List<String> paths() {
        return all.stream().map(path).toList();
    }

    /** What is asked for, with the names of the targets. */
    private record Choice<P>(NamedPlaces<P> network, Placement asked, TargetModules targets) {
        List<P> places(Predicate<P> supported) {
            Predicate<String> target = targets.matcher("target_modules");
            Predicate<String> exclusion = asked.excludeModules().matcher("exclude_modules");
            Predicate<String> saved = saved(asked.modulesToSave());
            List<P> matched = network.all.stream().filter(place -> target.test(network.path.apply(place))).toList();
            checkNames();
            List<P> chosen = new ArrayList<>();
            Set<Integer> layersSeen = new LinkedHashSet<>();
            int left = 0;
            for (P place : matched) {
                String path = network.path.apply(place);
                if (exclusion.test(path) || saved.test(path)) {
                    left++;
                } else if (isInLayers(path, layersSeen)) {
                    chosen.add(place);
                }
            }
            if (!asked.excludeModules().isUnset() && network.paths().stream().noneMatch(exclusion)) {
                LOG.warn("exclude_modules {} matches no layer", asked.excludeModules());
            }
            requireSome(chosen, matched, left);
            requireLayers(chosen, layersSeen);
            requireSupported(chosen, supported);
            return List.copyOf(chosen);
        }

        private boolean isInLayers(String path, Set<Integer> seen) {
            List<Integer> layers = asked.layersToTransform().values();
            if (layers.isEmpty() || targets.names().orElse(List.of()).contains(path)) {
                return true;
            }
            String number = "";
            if (asked.layersPattern().isEmpty()) {
                number = FIRST_NUMBER.groupFromBeginning(path, "idx");
            }
            for (String name : asked.layersPattern().values()) {
                if (number.isEmpty()) {
                    number = PathPattern.of("layers_pattern", "(?:^|.*?\\.)" + name + "\\.(?<idx>\\d+)\\.")
                            .groupFromBeginning(path, "idx");
                }
            }
            if (number.isEmpty() || number.length() > 9 || !layers.contains(Integer.valueOf(number))) {
                return false;
            }
            seen.add(Integer.valueOf(number));
            return true;
        }

        private void checkNames() {
            List<String> paths = network.paths();
            List<String> unmatched = targets.names().orElse(List.of()).stream()
                    .filter(name -> paths.stream().noneMatch(path -> isNamed(path, name))).toList();
            if (!unmatched.isEmpty() && !network.stored) {
                throw new TargetModuleException("target_modules: '" + unmatched.get(0) + "' matches no layer; "
                        + nearest(unmatched.get(0), paths));
            }
            if (!unmatched.isEmpty()) {
                LOG.warn("target_modules of the stored adapter match no layer of this model: {}", unmatched);
            }
        }

        /** Compares a short name with the last parts of paths, a longer one with whole paths. */
        private static String nearest(String name, List<String> paths) {
            Set<String> candidates = new LinkedHashSet<>();
            paths.forEach(path -> candidates.add(name.contains(".") ? path
                    : path.substring(path.lastIndexOf('.') + 1)));
            return "the nearest layers are " + SimilarNames.of(name, candidates, 3).stream()
                    .map(near -> paths.stream().filter(path -> isNamed(path, near)).findFirst().orElseThrow())
                    .toList();
        }

        private static boolean isNamed(String path, String name) {
            return TargetModules.of(name).matches("target_modules", path);
        }

        private void requireSome(List<P> chosen, List<P> matched, int left) {
            if (matched.isEmpty()) {
                List<String> paths = network.paths();
                throw new TargetModuleException("target_modules '" + asked.targetModules() + "' matches none of the "
                        + paths.size() + " layers; their paths look like "
                        + paths.subList(0, Math.min(3, paths.size())));
            }
            if (chosen.isEmpty() && left == matched.size()) {
                throw new TargetModuleException("all " + left + " layers that target_modules " + asked.targetModules()
                        + " matches are excluded by exclude_modules " + asked.excludeModules()
                        + " or modules_to_save " + asked.modulesToSave());
            }
        }

        private void requireLayers(List<P> chosen, Set<Integer> seen) {
            List<Integer> layers = asked.layersToTransform().values();
            List<Integer> unseen = new ArrayList<>(layers);
            unseen.removeAll(seen);
            if (chosen.isEmpty() || !unseen.isEmpty() && !network.stored) {
                throw new TargetModuleException("layers_to_transform " + layers
                        + (asked.layersPattern().isEmpty() ? ""
                                : " with layers_pattern " + asked.layersPattern().values())
                        + " matches no layer for " + (unseen.isEmpty() ? layers : unseen)
                        + "; the model has layers 0 to " + (network.layers - 1));
            }
        }

        private void requireSupported(List<P> chosen, Predicate<P> supported) {
            List<P> others = chosen.stream().filter(supported.negate()).toList();
            if (!others.isEmpty()) {
                throw new TargetModuleException("target_modules " + asked.targetModules()
                        + " matches layers of a kind that this method cannot adapt: "
                        + others.subList(0, Math.min(5, others.size()))
                        + (others.size() > 5 ? " and " + (others.size() - 5) + " more" : "")
                        + "; make the names or the expression more precise");
            }
        }
    }
}
