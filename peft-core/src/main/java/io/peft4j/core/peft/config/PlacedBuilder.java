package io.peft4j.core.peft.config;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What the builders of all methods that adapt layers have: the choice of the layers, {@link Placement}.
 *
 * @param <C> the configuration
 * @param <B> the builder
 */
public interface PlacedBuilder<C, B> extends ConfigBuilder<C> {
    /** What every configuration holds. */
    B common(CommonConfig value);

    /** Which layers are adapted and which are trained as a whole, all at once. */
    B placement(Placement value);

    /** Which layers are adapted; default what the method has for the architecture. */
    B targetModules(TargetModules value);

    /** Which layers are adapted, by name. */
    default B targetModules(String... names) {
        return targetModules(TargetModules.of(names));
    }

    /** Which layers are not adapted though they are targets; default none. */
    B excludeModules(TargetModules value);

    /** Which layers are not adapted though they are targets, by name. */
    default B excludeModules(String... names) {
        return excludeModules(TargetModules.of(names));
    }

    /**
     * Numbers of the layers that are adapted; default all. Layers below the first of them give the same in every epoch,
     * so a training computes them once for each example.
     */
    default B layersToTransform(int... numbers) {
        return layersToTransform(OneOrMany.many(IntStream.of(numbers).boxed().toList()));
    }

    /** Numbers of the layers that are adapted. */
    B layersToTransform(OneOrMany<Integer> value);

    /** Names of the list of layers; default any. */
    default B layersPattern(String... names) {
        return layersPattern(OneOrMany.many(List.of(names)));
    }

    /** Names of the list of layers. */
    B layersPattern(OneOrMany<String> value);

    /** Layers that are trained as a whole; default none. */
    default B modulesToSave(String... names) {
        return modulesToSave(List.of(names));
    }

    /** Layers that are trained as a whole. */
    B modulesToSave(List<String> names);
}
