package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.TargetModules;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The keys of a {@link Placement} in {@code adapter_config.json}; which of them there are depends on the method.
 *
 * @param keys the keys beside {@code target_modules}
 * @param adaptedOnly the method's word for {@link Bias#ADAPTED}, for instance {@code oft_only}
 */
record PlacementJson(Set<Key> keys, String adaptedOnly) {
    /** A key that not every method has. */
    enum Key { EXCLUDE, LAYERS, SAVE, BIAS }

    static PlacementJson of(Key... keys) {
        return new PlacementJson(keys.length == 0 ? Set.of() : EnumSet.copyOf(List.of(keys)), "");
    }

    /** All keys. */
    static PlacementJson all(String adaptedOnly) {
        return new PlacementJson(EnumSet.allOf(Key.class), adaptedOnly);
    }

    Placement read(ConfigReader reader) {
        boolean layers = keys.contains(Key.LAYERS);
        TargetModules targets = reader.modules("target_modules");
        TargetModules excluded = keys.contains(Key.EXCLUDE) ? reader.modules("exclude_modules") : TargetModules.UNSET;
        OneOrMany<Integer> numbers = layers ? reader.oneOrMoreIntegers("layers_to_transform") : OneOrMany.none();
        OneOrMany<String> pattern = layers ? reader.oneOrMoreTexts("layers_pattern") : OneOrMany.none();
        List<String> saved = keys.contains(Key.SAVE) ? reader.texts("modules_to_save") : List.of();
        Bias bias = keys.contains(Key.BIAS) ? Bias.read(reader, adaptedOnly) : Bias.NONE;
        return checked(reader, () -> new Placement(targets, excluded, numbers, pattern, saved, bias));
    }

    ConfigWriter write(Placement placement, ConfigWriter writer) {
        writer.put("target_modules", placement.targetModules());
        if (keys.contains(Key.EXCLUDE)) {
            writer.put("exclude_modules", placement.excludeModules());
        }
        if (keys.contains(Key.LAYERS)) {
            writer.put("layers_to_transform", placement.layersToTransform())
                    .put("layers_pattern", placement.layersPattern());
        }
        if (keys.contains(Key.SAVE)) {
            writer.putList("modules_to_save", placement.modulesToSave());
        }
        if (keys.contains(Key.BIAS)) {
            writer.put("bias", placement.bias().json(adaptedOnly));
        }
        return writer;
    }

    /**
     * Makes a configuration from what was read; where its own checks refuse, the message names the source.
     *
     * @throws ConfigurationException when the values do not go together
     */
    static <T> T checked(ConfigReader reader, Supplier<T> configuration) {
        try {
            return configuration.get();
        } catch (ConfigurationException e) {
            throw new ConfigurationException(reader.source() + ": " + e.getMessage(), e);
        }
    }

    /** Throws a {@link ConfigurationException} where a condition does not hold. */
    static void require(boolean ok, String message) {
        if (!ok) {
            throw new ConfigurationException(message);
        }
    }
}
