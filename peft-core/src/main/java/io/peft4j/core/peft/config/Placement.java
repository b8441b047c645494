package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import java.util.List;
import java.util.Objects;

/**
 * Where an adapter's layers sit, and which parts of the base are trained as a whole beside them. A method has those of
 * the values that Hugging Face PEFT's configuration of it has; the others stay at their defaults. Set through the
 * method's builder ({@link PlacedBuilder}).
 *
 * @param targetModules {@code target_modules}: the adapted layers; default what the method has for the architecture
 * @param excludeModules {@code exclude_modules}: targets that are not adapted; default none
 * @param layersToTransform {@code layers_to_transform}: numbers of the adapted layers, only with targets that are
 *     names; default all
 * @param layersPattern {@code layers_pattern}: names of the list of layers, for instance {@code layers}; regular
 *     expressions; default any
 * @param modulesToSave {@code modules_to_save}: layers that are trained as a whole and so cannot be adapted; default
 *     none
 * @param bias {@code bias}: which biases of the base are trained; default none
 */
@With
public record Placement(@Key(value = "target_modules", option = "target-modules") TargetModules targetModules,
        @Key("exclude_modules") TargetModules excludeModules,
        @Key("layers_to_transform") OneOrMany<Integer> layersToTransform,
        @Key("layers_pattern") OneOrMany<String> layersPattern,
        @Key("modules_to_save") List<String> modulesToSave, @Key("bias") Bias bias) implements PlacementWith {
    /**
     * Checks that the parts go together.
     *
     * @throws ConfigurationException when layers are chosen together with a regular expression, or a pattern is given
     *     without layers
     */
    public Placement {
        Objects.requireNonNull(bias, "bias");
        modulesToSave = List.copyOf(modulesToSave);
        Checks.require(targetModules.text().isEmpty() || layersToTransform.isEmpty() && layersPattern.isEmpty(),
                "layers_to_transform and layers_pattern need a list of target_modules, got '"
                        + targetModules + "'; put the layers into the expression");
        Checks.require(!layersToTransform.isEmpty() || layersPattern.isEmpty(),
                "layers_pattern needs layers_to_transform");
        Checks.require(!excludeModules.isAllLinear(), "exclude_modules cannot be 'all-linear'; list the layers");
    }

    /** All at their defaults. */
    public static Placement defaults() {
        return at(TargetModules.UNSET);
    }

    /** Layers by name, expression, or {@link TargetModules#ALL_LINEAR}. */
    public static Placement at(TargetModules targets) {
        return new Placement(targets, TargetModules.UNSET, OneOrMany.none(), OneOrMany.none(), List.of(), Bias.NONE);
    }
}
