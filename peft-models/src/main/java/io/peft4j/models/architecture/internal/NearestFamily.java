package io.peft4j.models.architecture.internal;

import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The known family that an unknown one is most like: by the names of its layers, then by its name.
 *
 * @param family the nearest one
 * @param layers names of layers that it does not have, at most six
 * @param keys keys of the configuration that no known family reads, at most six
 */
public record NearestFamily(Architecture family, List<String> layers, List<String> keys) {
    private static final int SHOWN = 6;

    /**
     * Compares a model with all known families.
     *
     * @param tensors names of its tensors
     */
    public static NearestFamily of(ModelConfig config, Set<String> tensors, Collection<Architecture> known) {
        Set<String> layers = tensors.stream().filter(name -> name.endsWith(".weight"))
                .map(name -> name.substring(0, name.length() - ".weight".length()))
                .map(path -> path.substring(path.lastIndexOf('.') + 1))
                .filter(name -> !name.contains("norm") && !name.matches("\\d+|ln_.*"))
                .collect(Collectors.toCollection(TreeSet::new));
        Architecture nearest = known.stream()
                .max(Comparator.<Architecture>comparingDouble(family -> likeness(layers, family.layerNames()))
                        .thenComparing(family -> common(config.modelType(), family.modelType())))
                .orElseThrow();
        Set<String> others = new TreeSet<>(layers);
        others.removeAll(nearest.layerNames());
        Set<String> keys = ConfigKeys.unknown(config);
        known.forEach(family -> keys.removeAll(family.configKeys(config)));
        return new NearestFamily(nearest, others.stream().limit(SHOWN).toList(),
                keys.stream().limit(SHOWN).toList());
    }

    /** The part of all names that both have. */
    private static double likeness(Set<String> layers, List<String> names) {
        Set<String> all = new TreeSet<>(layers);
        all.addAll(names);
        return (double) layers.stream().filter(names::contains).count() / Math.max(1, all.size());
    }

    private static int common(String a, String b) {
        int same = 0;
        while (same < Math.min(a.length(), b.length()) && a.charAt(same) == b.charAt(same)) {
            same++;
        }
        return same;
    }

    /** What is known of the model, as a part of a message. */
    public String sentence() {
        return "the nearest is \"" + family.modelType() + "\"" + (layers.isEmpty() ? "" : ", which has no layers "
                + layers) + (keys.isEmpty() ? ""
                        : (layers.isEmpty() ? "; " : "; and ")
                                + "no known family reads the keys " + keys);
    }
}
