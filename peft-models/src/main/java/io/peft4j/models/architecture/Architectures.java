package io.peft4j.models.architecture;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The registered architectures. */
public final class Architectures {
    private Architectures() {
    }

    /**
     * The architecture of a model.
     *
     * @throws FileFormatException when none is registered for its {@code model_type}
     */
    public static Architecture of(ModelConfig config) {
        Map<String, Architecture> known = byType();
        Architecture architecture = known.get(config.modelType());
        if (architecture == null) {
            throw new FileFormatException(config.file(), "unsupported model_type \"" + config.modelType() + "\"; "
                    + "supported are " + known.keySet());
        }
        return architecture;
    }

    /**
     * As {@link #of(ModelConfig)}; where none is registered, the message says which known one is the nearest and what
     * differs.
     *
     * @param tensors names of the checkpoint's tensors
     */
    public static Architecture of(ModelConfig config, Set<String> tensors) {
        Map<String, Architecture> known = byType();
        Architecture architecture = known.get(config.modelType());
        if (architecture == null) {
            throw new FileFormatException(config.file(), "unsupported model_type \"" + config.modelType() + "\"; "
                    + NearestFamily.of(config, tensors, known.values()).sentence() + "; supported are "
                    + known.keySet());
        }
        return architecture;
    }

    /**
     * The architecture whose model a GGUF file holds.
     *
     * @throws FileFormatException when none is registered for its {@code general.architecture}
     */
    public static Architecture of(GgufFile file) {
        String name = file.metadata().string("general.architecture");
        Map<String, Architecture> known = byType();
        return known.values().stream().filter(architecture -> architecture.gguf()
                .filter(form -> form.architecture().equals(name) && form.isReadFrom(file.metadata())).isPresent())
                .findFirst().orElseThrow(() -> new FileFormatException(file.path(), "general.architecture is \""
                        + name + "\"; supported are " + known.values().stream().flatMap(a -> a.gguf().stream())
                                .map(GgufForm::architecture).distinct().sorted().toList()));
    }

    /**
     * The form of a model's GGUF files.
     *
     * @throws ConfigurationException when its family has none
     */
    public static GgufForm requireGguf(ModelConfig config) {
        return of(config).gguf().map(form -> form.of(config)).orElseThrow(() -> new ConfigurationException(
                "GGUF files can be written for "
                        + "models of the types " + byType().values().stream().filter(a -> a.gguf().isPresent())
                                .map(Architecture::modelType).toList()
                        + ", not for " + config.modelType()));
    }

    /** The {@linkplain Architecture#layerNames names of layers} of all of them. */
    public static Set<String> layerNames() {
        Set<String> names = new TreeSet<>();
        byType().values().forEach(architecture -> names.addAll(architecture.layerNames()));
        return names;
    }

    private static Map<String, Architecture> byType() {
        Map<String, Architecture> known = new TreeMap<>();
        ServiceLoader.load(Architecture.class, Architecture.class.getClassLoader())
                .forEach(architecture -> known.put(architecture.modelType(), architecture));
        return known;
    }

    /**
     * The known family that an unknown one is most like: by the names of its layers, then by its name.
     *
     * @param family the nearest one
     * @param layers names of layers that it does not have, at most six
     * @param keys keys of the configuration that no known family reads, at most six
     */
    private record NearestFamily(Architecture family, List<String> layers, List<String> keys) {
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
}
