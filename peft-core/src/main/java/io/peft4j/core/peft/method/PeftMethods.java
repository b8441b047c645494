package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.Registered;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The methods on the class path. There is no other list of them. */
@Internal(shared = true)
public final class PeftMethods {
    private PeftMethods() {
    }

    /** All methods, sorted by name. */
    public static List<PeftMethod> all() {
        return Registered.all(PeftMethod.class, PeftMethod::peftType).stream()
                .sorted(Comparator.comparing(PeftMethod::name)).toList();
    }

    /**
     * The method with the given id.
     *
     * @param peftType for instance {@code LORA}
     * @throws ConfigurationException when it is unknown; the message lists the known ones
     */
    public static PeftMethod byType(String peftType) {
        return find("peft_type", peftType, PeftMethod::peftType);
    }

    /**
     * The method with the given name.
     *
     * @param name for instance {@code lora}
     * @throws ConfigurationException when it is unknown; the message lists the known ones
     */
    public static PeftMethod byName(String name) {
        return find("method", name, PeftMethod::name);
    }

    /**
     * Reads a configuration of any method for a new adapter. Of a stored one, {@link AdapterCheckpoint#readConfig}
     * keeps what it does not know.
     *
     * @param json the content of an {@code adapter_config.json}
     * @param source where it comes from, for messages
     * @throws ConfigurationException when it is not a JSON object, names no known method, has a key that the method
     *     does not know, or a wrong value
     */
    public static PeftConfig readConfig(String json, String source) {
        return readConfig(ConfigReader.parseNew(json, source));
    }

    /**
     * Reads a configuration of any method.
     *
     * @throws ConfigurationException when it names no known method, or has a wrong value
     */
    public static PeftConfig readConfig(ConfigReader reader) {
        String type = reader.optionalText("peft_type").orElseThrow(() -> new ConfigurationException(reader.source()
                + ": peft_type is missing; it names the method, one of " + names(PeftMethod::peftType)));
        return byType(type).readConfig(reader);
    }

    private static PeftMethod find(String what, String asked, Function<PeftMethod, String> id) {
        return all().stream().filter(method -> id.apply(method).equals(asked)).findFirst()
                .orElseThrow(() -> new ConfigurationException(
                        what + " '" + asked + "' is unknown; available are " + names(id) + hint(asked, names(id))));
    }

    /** Papers name methods that are a setting of another, as DoRA is of LoRA; the shortest name is the plain one. */
    private static String hint(String asked, List<String> ids) {
        String setting = "use_" + asked.toLowerCase(Locale.ROOT);
        List<String> methods = all().stream().filter(method -> method instanceof ConfiguredMethod<?> configured
                && configured.settings().contains(setting)).map(PeftMethod::name)
                .sorted(Comparator.comparingInt(String::length)).toList();
        return methods.isEmpty()
                ? SimilarNames.near(asked, ids, 1).stream().map(near -> "; did you mean '" + near + "'?")
                        .collect(Collectors.joining())
                : "; it is '" + String.join("' or '", methods) + "' with the setting " + setting + "=true";
    }

    private static List<String> names(Function<PeftMethod, String> id) {
        return all().stream().map(id).toList();
    }
}
