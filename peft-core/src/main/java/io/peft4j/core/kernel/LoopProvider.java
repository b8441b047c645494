package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/** Offers an implementation of {@link Loops} to {@link LoopSelection}; found by {@link java.util.ServiceLoader}. */
@Internal(shared = true)
public interface LoopProvider {
    /** The name that {@code -Dpeft4j.loops=NAME} selects. */
    String name();

    /**
     * Whether the loops run in this JVM. Must not throw; where they do not run, the reason goes to the log. Asked once.
     */
    boolean available();

    /** New loops, for one thread. */
    Loops create();
}
