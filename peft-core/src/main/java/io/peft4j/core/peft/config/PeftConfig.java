package io.peft4j.core.peft.config;

import io.peft4j.core.Internal;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.method.PeftMethod;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The configuration of an adapter: an immutable value with a field for each key of Hugging Face's
 * {@code adapter_config.json} that the method uses ({@link Key}). Method by method a record with a {@link PeftType}
 * and a {@link ConfigBuilder}; read by its {@link PeftMethod}.
 */
public interface PeftConfig {
    /** The method's id in the file, {@code peft_type}: for instance {@code LORA}. */
    default String peftType() {
        return peftType(getClass());
    }

    /** The id in a configuration's {@link PeftType}. */
    static String peftType(Class<?> config) {
        PeftType type = config.getAnnotation(PeftType.class);
        if (type == null) {
            throw new IllegalStateException(config + " needs a @PeftType");
        }
        return type.value();
    }

    /** What the components of a configuration record are called as options, with the key that each sets. */
    static Map<String, String> optionKeys(Class<? extends PeftConfig> config) {
        Map<String, String> keys = new LinkedHashMap<>();
        ConfigSchema.of(config).options(keys);
        return keys;
    }

    /** What the configuration of every method holds. */
    CommonConfig common();

    /** The same with other common values. */
    default PeftConfig withCommon(CommonConfig common) {
        return ConfigSchema.with(this, "common", common);
    }

    /** Which layers are adapted; {@link TargetModules#UNSET} where the method chooses them, or targets no layers. */
    default TargetModules targetModules() {
        return TargetModules.UNSET;
    }

    /**
     * The model below an adapter: the base itself, or the base with layers repeated where they are not yet.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the base cannot be changed so
     */
    default BaseLanguageModel modelOn(BaseLanguageModel base) {
        return base;
    }

    /** Folders of other adapters that this one is made of, as a rule none; from its own folder, or from any. */
    default List<String> parts() {
        return List.of();
    }

    /**
     * The task that the adapter computes rows as, of several that it was trained for.
     *
     * @param asked what the rows name, or {@link TokenSequence#NO_TASK}
     * @return refused when there is no such task, or none is named; default {@link RowTask#NONE}
     */
    @Internal
    default RowTask task(int asked) {
        return RowTask.NONE;
    }

    /**
     * Whether the first values of a new adapter are computed from data, a {@link CalibrationBatches}; default false.
     */
    default boolean needsCalibration() {
        return false;
    }

    /** Whether it does something at certain updates of a training, whose number is fixed before. Default: false. */
    default boolean countsUpdates() {
        return false;
    }

    /**
     * What an automatic learning rate is multiplied by: how much faster than LoRA with an alpha of twice its rank the
     * method is to learn. Default: as its {@link PeftType} says.
     */
    default double autoRateFactor() {
        PeftType type = getClass().getAnnotation(PeftType.class);
        return type == null ? 1 : type.autoRateFactor();
    }

    /**
     * The content of {@code adapter_config.json}: all keys, also those at their default, sorted; keys that were unknown
     * when the configuration was read stand there as they were.
     */
    default String toJson() {
        ConfigWriter writer = new ConfigWriter(peftType(), common());
        ConfigSchema.of(getClass()).write(writer, this);
        return writer.toJson();
    }
}
