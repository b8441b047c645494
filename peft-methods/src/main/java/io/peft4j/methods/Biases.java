package io.peft4j.methods;

import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Which biases of the base model are trained and stored with an adapter. */
public enum Biases {
    /** None; the default. */
    NONE,
    /** Those of all layers. */
    ALL,
    /** Those of the adapted layers. */
    ADAPTED;

    /** The places whose bias is trained; empty for none. */
    Optional<Predicate<Slot>> places(List<Slot> targets) {
        return this == NONE ? Optional.empty() : Optional.of(slot -> this == ALL || targets.contains(slot));
    }
}
