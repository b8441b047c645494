package io.peft4j.models.architecture;

import io.peft4j.core.error.FileFormatException;
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
