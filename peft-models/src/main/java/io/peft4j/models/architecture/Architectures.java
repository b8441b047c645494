package io.peft4j.models.architecture;

import io.peft4j.core.error.FileFormatException;
import java.util.ServiceLoader;
import java.util.TreeMap;

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
        TreeMap<String, Architecture> known = new TreeMap<>();
        ServiceLoader.load(Architecture.class, Architecture.class.getClassLoader())
                .forEach(a -> known.put(a.modelType(), a));
        Architecture architecture = known.get(config.modelType());
        if (architecture == null) {
            throw new FileFormatException(config.file(), "unsupported model_type \"" + config.modelType() + "\"; "
                    + "supported are " + known.keySet());
        }
        return architecture;
    }
}
