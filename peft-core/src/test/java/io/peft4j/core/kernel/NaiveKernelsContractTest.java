package io.peft4j.core.kernel;

import org.junit.jupiter.api.Tag;

/** The naive kernels against themselves: what remains is determinism and the checks of arguments. */
@Tag("full")
class NaiveKernelsContractTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        return new NaiveKernels();
    }
}
