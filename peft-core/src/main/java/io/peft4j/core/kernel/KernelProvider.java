package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/**
 * Offers an implementation of {@link Kernels} to {@link KernelSelection}; found by {@link java.util.ServiceLoader}.
 */
@Internal(shared = true)
public interface KernelProvider {
    /** The name that {@code -Dpeft4j.kernels=NAME} selects. */
    String name();

    /** Preference among the available providers: the highest is used. The portable one uses 10. */
    int priority();

    /**
     * Whether the implementation runs here: its native library loads and the processor has what it needs. Must not
     * throw; where it does not run, the reason goes to the log once.
     */
    boolean available();

    /**
     * Creates the kernels.
     *
     * @param threads worker threads to use, at least 1
     */
    CheckedKernels create(int threads);
}
