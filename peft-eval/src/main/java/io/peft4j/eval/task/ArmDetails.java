package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import java.util.Objects;
import java.util.Optional;

/**
 * What else was measured of one arm, each where the items or the model allow it.
 *
 * @param refusalRate the share of answers that refuse to help
 * @param classes the classes that the answers name, against the labels
 * @param wordings whether other wordings of a question get the same fact
 * @param model what its model was asked beside
 */
@Internal(shared = true)
public record ArmDetails(double refusalRate, Optional<Classification> classes, Optional<Consistency> wordings,
        ModelMeasures model) {
    /** Refuses null. */
    public ArmDetails {
        Objects.requireNonNull(classes, "classes");
        Objects.requireNonNull(wordings, "wordings");
        Objects.requireNonNull(model, "model");
    }
}
