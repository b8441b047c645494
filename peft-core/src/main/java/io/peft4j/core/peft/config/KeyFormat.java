package io.peft4j.core.peft.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * How the value of one component of a configuration is written in {@code adapter_config.json}, where its type alone
 * does not say so. Has a constructor without parameters.
 *
 * @param <T> type of the component
 */
public interface KeyFormat<T> {
    /**
     * Reads the value.
     *
     * @param key its key
     * @param fallback the default as JSON text
     * @throws io.peft4j.core.error.ConfigurationException when the file has something else
     */
    T read(ConfigReader reader, String key, String fallback);

    /** Writes the value. */
    void write(ConfigWriter writer, String key, T value);

    /** What a constant of an enum is in the file, where that is not its name. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.FIELD)
    @interface Named {
        /** The value as JSON text, a text with its quotes. */
        String value();
    }
}
