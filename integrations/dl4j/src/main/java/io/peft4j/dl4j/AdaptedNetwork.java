package io.peft4j.dl4j;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.NamedPlaces;
import io.peft4j.core.peft.method.PeftMethods;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;

/** How a network gets an adapter, and how it becomes a plain one again. */
final class AdaptedNetwork {
    private AdaptedNetwork() {
    }

    /** A copy of a network with a new adapter. */
    public static <N extends Model> N create(NetworkForm<N> base, PeftConfig config, Optional<IUpdater> updater) {
        PlacedConfig asked = NetworkMethod.of(config).config();
        Placement placement = asked.placement();
        PlacedConfig named = PlacedConfig.with(asked,
                placement.withTargetModules(Place.resolved(base.layers(), placement.targetModules())));
        N made = build(base, withoutTask(named), updater, false);
        NetworkForm<N> form = base.form(made);
        SplittableRandom random = new SplittableRandom(base.seed());
        running(form).values().forEach(layer -> layer.begin(random));
        return made;
    }

    /** Networks of this kind have no task that Hugging Face PEFT knows; language models have this one by default. */
    private static PeftConfig withoutTask(PeftConfig config) {
        CommonConfig common = config.common();
        return !common.taskType().equals(CommonConfig.defaults().taskType()) ? config
                : config.withCommon(new CommonConfig(Optional.empty(), common.baseModel(), common.revision(),
                        common.inferenceMode(), common.peftVersion(), common.otherKeys()));
    }

    /** A copy of a network with an adapter whose values are all zero. */
    static <N extends Model> N build(NetworkForm<N> base, PeftConfig config, Optional<IUpdater> updater,
            boolean stored) {
        Map<String, Layer> layers = base.layers();
        if (layers.values().stream().anyMatch(AdaptedLayer.class::isInstance)) {
            throw new ConfigurationException("the network has an adapter already; merge it first");
        }
        NetworkMethod.Configured<?> method = NetworkMethod.of(config);
        Placement placement = method.config().placement();
        Checks.require(placement.bias().equals(Bias.NONE), "bias does not work on networks of DeepLearning4J; name "
                + "layers whose biases are to be trained in modules_to_save");
        Set<String> trained = Place.trained(layers, placement);
        List<Place> places = Place.chosen(layers, placement, stored);
        if (places.isEmpty()) {
            throw new TargetModuleException("all weights that target_modules " + placement.targetModules()
                    + " matches are excluded by exclude_modules " + placement.excludeModules());
        }
        method.check(places.stream().map(Place::path).toList(), stored);
        Map<String, Map<String, String>> adapted = new LinkedHashMap<>();
        places.forEach(place -> adapted.computeIfAbsent(place.layer(), name -> new LinkedHashMap<>())
                .put(place.weight().key(), place.path()));
        String json = config.toJson();
        N made = base.with((name, layer) -> {
            if (layer.initializer().numParams(layer) == 0) {
                return layer;
            }
            Map<String, String> own = adapted.getOrDefault(name, Map.of());
            if (trained.contains(name) || !own.isEmpty()) {
                updater.ifPresent(other -> NetworkForm.setUpdater(layer, other));
            }
            return trained.contains(name) ? layer : new AdaptedLayer(layer, own.isEmpty() ? "" : json, own);
        });
        NetworkForm<N> form = base.form(made);
        layers.keySet().forEach(name -> copy(base.running(name).paramTable(), form.running(name).paramTable()));
        return made;
    }

    private static void copy(Map<String, INDArray> from, Map<String, INDArray> to) {
        if (from != null) {
            from.forEach((key, value) -> to.get(key).assign(value));
        }
    }

    /** A plain network that computes the same. */
    public static <N extends Model> N merge(NetworkForm<N> adapted) {
        config(adapted);
        N made = adapted.with((name, layer) -> layer instanceof AdaptedLayer own ? own.getUnderlying() : layer);
        NetworkForm<N> form = adapted.form(made);
        adapted.layers().keySet().forEach(name -> {
            org.deeplearning4j.nn.api.Layer layer = adapted.running(name);
            copy(layer instanceof RunningLayer own ? own.merged() : layer.paramTable(),
                    form.running(name).paramTable());
        });
        return made;
    }

    /** The configuration of the adapter. */
    public static PeftConfig config(NetworkForm<?> adapted) {
        return adapted.layers().values().stream().filter(AdaptedLayer.class::isInstance).map(AdaptedLayer.class::cast)
                .map(AdaptedLayer::getConfig).filter(json -> !json.isEmpty()).findFirst()
                .map(json -> PeftMethods.readConfig(json, "the adapter of the network"))
                .orElseThrow(() -> new ConfigurationException("the network has no adapter; make one with "
                        + "Dl4jAdapters.withAdapter"));
    }

    /** The layers with frozen parameters, by name. */
    static Map<String, RunningLayer> running(NetworkForm<?> form) {
        Map<String, RunningLayer> running = new LinkedHashMap<>();
        form.layers().keySet().forEach(name -> {
            if (form.running(name) instanceof RunningLayer layer) {
                running.put(name, layer);
            }
        });
        return running;
    }

    /** The layers that are trained as a whole, by name. */
    static Map<String, org.deeplearning4j.nn.api.Layer> trained(NetworkForm<?> form) {
        Map<String, org.deeplearning4j.nn.api.Layer> trained = new LinkedHashMap<>();
        form.layers().keySet().forEach(name -> {
            org.deeplearning4j.nn.api.Layer layer = form.running(name);
            if (!(layer instanceof RunningLayer) && layer.numParams() > 0) {
                trained.put(name, layer);
            }
        });
        return trained;
    }

    /** How many parameters are trained. */
    public static long trainable(NetworkForm<?> adapted) {
        return running(adapted).values().stream().flatMap(layer -> layer.weights().stream())
                .mapToLong(weight -> AdaptedWeight.length(weight.change())).sum()
                + trained(adapted).values().stream().mapToLong(org.deeplearning4j.nn.api.Layer::numParams).sum();
    }

    /**
     * A weight of a network by name. The only weight of a layer is called as the layer, one of several as the layer, a
     * dot and the key of the parameter, {@code lstm.RW}; the name of a layer means all of its weights.
     *
     * @param layer the layer's name
     * @param path the weight's name
     * @param weight the weight
     */
    private record Place(String layer, String path, Weight weight) {
        /** What a name may mean. */
        private record Named(String path, String kind, List<Place> places) {
            @Override
            public String toString() {
                return path + " (" + kind + ")";
            }
        }

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

        /**
         * The targets with names in place of {@code all-linear}: every layer with weights but embeddings and outputs.
         */
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
                    throw new ConfigurationException(
                            "modules_to_save: '" + entry + "' matches no layer with parameters; "
                                    + "the nearest layers are " + SimilarNames.of(entry, withParameters.keySet(), 3));
                }
                trained.addAll(matched);
            }
            return trained;
        }
    }
}
