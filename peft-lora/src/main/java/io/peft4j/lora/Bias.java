package io.peft4j.lora;

import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

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

    /** The places whose bias is trained; empty for none. */
    Optional<Predicate<Slot>> places(List<Slot> targets) {
        return this == NONE ? Optional.empty() : Optional.of(slot -> this == ALL || targets.contains(slot));
    }
}
