package io.peft4j.lora;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.TargetModules;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the builders of all methods that adapt linear layers have: the choice of the layers.
 *
 * @param <B> the builder
 */
public abstract class TargetedConfigBuilder<B> {
    private CommonConfig common = CommonConfig.defaults();
    private TargetModules targetModules = TargetModules.UNSET;
    private TargetModules excludeModules = TargetModules.UNSET;
    private OneOrMany<Integer> layersToTransform = OneOrMany.none();
    private OneOrMany<String> layersPattern = OneOrMany.none();
    private List<String> modulesToSave = List.of();

    TargetedConfigBuilder() {
    }

    TargetedConfigBuilder(CommonConfig common, ModuleSelector modules) {
        this.common = common;
        modules(modules);
    }

    abstract B self();

    CommonConfig common() {
        return common;
    }

    ModuleSelector modules() {
        return new ModuleSelector(targetModules, excludeModules, layersToTransform, layersPattern, modulesToSave);
    }

    /** What every configuration holds. */
    public B common(CommonConfig value) {
        common = value;
        return self();
    }

    /** Which layers are adapted and which are trained as a whole, all at once. */
    public B modules(ModuleSelector value) {
        targetModules = value.targets();
        excludeModules = value.excluded();
        layersToTransform = value.layersToTransform();
        layersPattern = value.layersPattern();
        modulesToSave = value.modulesToSave();
        return self();
    }

    /** Which layers are adapted; default what the architecture has. */
    public B targetModules(TargetModules value) {
        targetModules = value;
        return self();
    }

    /** Which layers are adapted, by name. */
    public B targetModules(String... names) {
        return targetModules(TargetModules.of(names));
    }

    /** Which layers are not adapted though they are targets; default none. */
    public B excludeModules(TargetModules value) {
        excludeModules = value;
        return self();
    }

    /** Which layers are not adapted though they are targets, by name. */
    public B excludeModules(String... names) {
        return excludeModules(TargetModules.of(names));
    }

    /** Numbers of the layers that are adapted; default all. */
    public B layersToTransform(int... value) {
        layersToTransform = OneOrMany.many(IntStream.of(value).boxed().toList());
        return self();
    }

    /** Names of the list of layers; default any. */
    public B layersPattern(String... value) {
        layersPattern = OneOrMany.many(List.of(value));
        return self();
    }

    /** Layers that are trained as a whole; default none. */
    public B modulesToSave(String... names) {
        modulesToSave = List.of(names);
        return self();
    }
}
