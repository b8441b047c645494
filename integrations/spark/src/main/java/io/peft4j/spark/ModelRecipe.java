package io.peft4j.spark;

import io.peft4j.core.option.With;
import io.peft4j.models.ModelOptions.Precision;
import java.io.Serializable;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What executors load.
 *
 * @param base an ID on the hub, a folder or a GGUF file
 * @param precision what its weights are kept in
 * @param threads threads of its engine; 0: the cores of the executor where they are set, else all processors
 * @param use what it is loaded for
 * @param adapters folders by names; empty: none
 */
@With
record ModelRecipe(String base, Precision precision, int threads, Use use,
        TreeMap<String, String> adapters) implements ModelRecipeWith, Serializable {
    /** What a model is loaded for. */
    public enum Use {
        /** Answers and likelihoods. */
        TEXT,
        /** Classes, of the first adapter that has a head or of the base. */
        CLASSES,
        /** Vectors. */
        VECTORS
    }

    /** Copies the map. */
    public ModelRecipe {
        Objects.requireNonNull(base, "base");
        adapters = new TreeMap<>(adapters);
    }

    /** A base without adapters. */
    public static ModelRecipe of(String base) {
        return new ModelRecipe(base, Precision.AUTO, 0, Use.TEXT, new TreeMap<>());
    }

    /** The same with other adapters. */
    public ModelRecipe withAdapters(Map<String, String> folders) {
        return new ModelRecipe(base, precision, threads, use, new TreeMap<>(folders));
    }
}
