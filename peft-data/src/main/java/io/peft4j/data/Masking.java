package io.peft4j.data;

import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.Locale;

/** Which tokens of a conversation are learned. */
public enum Masking {
    /**
     * Each message of the assistant with its end-of-turn token, by its weight: the field {@code weight} of the message,
     * 1 where it has none.
     */
    ASSISTANT,
    /**
     * The last message of the assistant alone, by its weight. Also for templates that render earlier turns differently
     * once others follow, such as those that drop earlier reasoning: what is learned then is rendered as the model is
     * asked for it.
     */
    LAST_TURN,
    /** Every token, the user's and the system's included. */
    ALL;

    /**
     * The masking of a name such as {@code last-turn}.
     *
     * @throws ConfigurationException when there is none
     */
    public static Masking named(String name) {
        return Arrays.stream(values()).filter(value -> value.name().toLowerCase(Locale.ROOT).replace('_', '-')
                .equals(name)).findFirst().orElseThrow(() -> new ConfigurationException("'" + name
                        + "' must be assistant, last-turn or all"));
    }
}
