package io.peft4j.dl4j;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.NamedPlaces;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Layer;

/**
 * A weight of a network by name. The only weight of a layer is called as the layer, one of several as the layer, a dot
 * and the key of the parameter, {@code lstm.RW}; the name of a layer means all of its weights.
 *
 * @param layer the layer's name
 * @param path the weight's name
 * @param weight the weight
 */
record Place(String layer, String path, Weight weight) {
    /** What a name may mean. */
    private record Named(String path, String kind, List<Place> places) {
        @Override
        public String toString() {
            return path + " (" + kind + ")";
        }
    }

    /** The weights of a layer. */
    static List<Place> of(String name, Layer layer) {
        List<Weight> weights = LayerWeights.of(layer);
        return weights.stream().map(weight -> new Place(name, weights.size() == 1 ? name
                : name + "." + weight.key(), weight)).toList();
    }

    /**
     * The places that a placement means.
     *
     * @param asked with names in place of {@code all-linear}
     * @param stored whether the adapter is a stored one
     * @throws TargetModuleException as {@link NamedPlaces#chosen}
     */
    public static List<Place> chosen(Map<String, Layer> layers, Placement asked, boolean stored) {
        List<Named> names = new ArrayList<>();
        layers.forEach((name, layer) -> {
            List<Place> places = of(name, layer);
            String kind = LayerWeights.running(layer).getClass().getSimpleName();
            names.add(new Named(name, kind, places));
            if (places.size() > 1) {
                places.forEach(place -> names.add(new Named(place.path, kind, List.of(place))));
            }
        });
        Set<Place> chosen = new LinkedHashSet<>();
        new NamedPlaces<>(names, Named::path, layers.size(), stored)
                .chosen(asked, asked.targetModules(), named -> !named.places.isEmpty())
                .forEach(named -> chosen.addAll(named.places));
        Predicate<String> excluded = asked.excludeModules().matcher("exclude_modules");
        chosen.removeIf(place -> excluded.test(place.path));
        List<Place> ordered = new ArrayList<>();
        layers.forEach((name, layer) -> of(name, layer).stream().filter(chosen::contains).forEach(ordered::add));
        return ordered;
    }

    /** The targets with names in place of {@code all-linear}: every layer with weights but embeddings and outputs. */
    public static TargetModules resolved(Map<String, Layer> layers, TargetModules targets) {
        if (targets.isUnset()) {
            throw new TargetModuleException("no default target modules for networks of DeepLearning4J; set "
                    + "target_modules, or use 'all-linear'");
        }
        return !targets.isAllLinear() ? targets : TargetModules.of(layers.entrySet().stream()
                .filter(entry -> !(LayerWeights.running(entry.getValue()) instanceof BaseOutputLayer))
                .filter(entry -> of(entry.getKey(), entry.getValue()).stream()
                        .anyMatch(place -> !place.weight.embedding()))
                .map(Map.Entry::getKey).toList());
    }

    /**
     * The layers that are trained as a whole ({@code modules_to_save}).
     *
     * @throws ConfigurationException when an entry matches none
     */
    public static Set<String> trained(Map<String, Layer> layers, Placement asked) {
        Map<String, Layer> withParameters = new LinkedHashMap<>(layers);
        withParameters.values().removeIf(layer -> layer.initializer().numParams(layer) == 0);
        Set<String> trained = new LinkedHashSet<>();
        for (String entry : asked.modulesToSave()) {
            Predicate<String> saved = NamedPlaces.saved(List.of(entry));
            List<String> matched = withParameters.keySet().stream().filter(saved).toList();
            if (matched.isEmpty()) {
                throw new ConfigurationException("modules_to_save: '" + entry + "' matches no layer with parameters; "
                        + "the nearest layers are " + SimilarNames.of(entry, withParameters.keySet(), 3));
            }
            trained.addAll(matched);
        }
        return trained;
    }
}
