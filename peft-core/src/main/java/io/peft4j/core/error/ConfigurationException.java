package io.peft4j.core.error;

import io.peft4j.core.Internal;

/**
 * An option, a configuration value or a configuration key is wrong, or two of them contradict each other.
 */
public class ConfigurationException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * An exception without a cause.
     *
     * @param message what was asked, what exists, what to change
     */
    public ConfigurationException(String message) {
        super(message);
    }

    /**
     * An exception with the exception that led to it.
     *
     * @param message what was asked, what exists, what to change
     * @param cause the exception that led to this one
     */
    public ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * An argument that must be given.
     *
     * @param name its name
     * @param wanted what to give, such as {@code a text}
     * @throws ConfigurationException when it is null
     */
    @Internal(shared = true)
    public static <T> T requireGiven(T argument, String name, String wanted) {
        if (argument == null) {
            throw new ConfigurationException(name + " is null; give " + wanted);
        }
        return argument;
    }
}
