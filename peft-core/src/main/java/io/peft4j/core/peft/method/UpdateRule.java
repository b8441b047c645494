package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.Parameter;

/** How a training changes its updates by parameter; what no rule touches is trained as the optimizer does. */
public interface UpdateRule {
    /** Trains all parameters alike. */
    UpdateRule PLAIN = new UpdateRule() {
    };

    /** Whether a parameter is trained at all. */
    default boolean trains(Parameter parameter) {
        return true;
    }

    /** What the learning rate is multiplied by for a parameter. */
    default double rateFactor(Parameter parameter) {
        return 1;
    }

    /** What an automatic learning rate is multiplied by for all parameters; default 1. */
    default double autoRateFactor() {
        return 1;
    }

    /** Called when the gradients of an update are complete and before they are clipped; may change them. */
    default void beforeUpdate() {
    }

    /** One line that tells this rule from others, for the check that a resumed training is the same. */
    default String describe() {
        return "plain";
    }
}
