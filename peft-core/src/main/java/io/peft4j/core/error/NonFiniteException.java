package io.peft4j.core.error;

import io.peft4j.core.Internal;

/** A model's output holds no finite numbers, so it says nothing: weights are too large, or a training diverged. */
@Internal(shared = true)
public final class NonFiniteException extends PeftException {
    private static final long serialVersionUID = 1L;

    /**
     * Says what is not finite.
     *
     * @param what what is not finite, and what may be the reason
     */
    public NonFiniteException(String what) {
        super(what);
    }
}
