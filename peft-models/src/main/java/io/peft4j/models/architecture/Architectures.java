package io.peft4j.models.architecture;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.models.architecture.internal.NearestFamily;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

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
        return of(config).gguf().orElseThrow(() -> new ConfigurationException("GGUF files can be written for "
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
}
