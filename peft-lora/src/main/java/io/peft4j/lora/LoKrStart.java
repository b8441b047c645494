package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import java.util.Arrays;

/** How the factors of {@link LoKrConfig} begin. What is not zero is uniform, as PyTorch begins a linear layer. */
public enum LoKrStart {
    /** W1 zero: the model begins as the base. The default. */
    ZERO_W1("true"),
    /** W2 zero, as LyCORIS has it: the model begins as the base. */
    ZERO_W2("\"lycoris\""),
    /** Both random: the model begins away from the base. For tests. */
    RANDOM("false");

    private final String json;

    LoKrStart(String json) {
        this.json = json;
    }

    /** The value of {@code init_weights} in {@code adapter_config.json}. */
    String json() {
        return json;
    }

    static LoKrStart read(ConfigReader reader) {
        String text = reader.json("init_weights").orElse(ZERO_W1.json);
        return Arrays.stream(values()).filter(value -> value.json.equals(text)).findFirst()
                .orElseThrow(() -> new ConfigurationException(reader.source() + ": init_weights is " + text
                        + "; it must be true, false or \"lycoris\""));
    }
}
