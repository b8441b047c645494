package io.peft4j.lora;

import java.util.Locale;

/** Which biases of the base model are trained and stored with the adapter. */
public enum Bias {
    /** None; the default. */
    NONE,
    /** Those of all layers. */
    ALL,
    /** Those of the adapted layers. */
    LORA_ONLY;

    /** The value of {@code bias} in {@code adapter_config.json}. */
    String json() {
        return name().toLowerCase(Locale.ROOT);
    }
}
