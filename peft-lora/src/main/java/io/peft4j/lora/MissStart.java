package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import java.util.Arrays;

/** The form of {@link MissConfig}, and how its block begins. */
public enum MissStart {
    /** A block [r, out] of zeros: the model begins as the base. The default. */
    ZERO("true"),
    /** A block [r, out], uniform: the model begins away from the base. For tests. */
    RANDOM("false"),
    /** A block [r, mini_r] of zeros that is repeated over the outputs. */
    MINI("\"mini\""),
    /**
     * Blocks M [out / r, r, r] of zeros: {@code W + W_ij M_i + M_i} for each r x r piece ij of W. r must divide in and
     * out. A step costs r times what a step of the others costs.
     */
    BAT("\"bat\"");

    private final String json;

    MissStart(String json) {
        this.json = json;
    }

    /** The value of {@code init_weights} in {@code adapter_config.json}. */
    String json() {
        return json;
    }

    static MissStart read(ConfigReader reader) {
        String text = reader.json("init_weights").orElse(ZERO.json);
        return Arrays.stream(values()).filter(value -> value.json.equals(text)).findFirst()
                .orElseThrow(() -> new ConfigurationException(reader.source() + ": init_weights is " + text
                        + "; it must be true, false, \"bat\" or \"mini\""));
    }
}
