package io.peft4j.core.peft.config;

/**
 * How the value of one component of a configuration stands in {@code adapter_config.json}, where its type alone does
 * not say so. Has a constructor without parameters.
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

    /** An enum whose constants have other names in the file than in Java. */
    interface Named {
        /** The value in the file as JSON text, a text with its quotes. */
        String json();
    }
}
