package io.peft4j.core.error;

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
}
