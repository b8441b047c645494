package io.peft4j.core.kernel;

import io.peft4j.core.kernel.internal.NaiveKernels;

/** The naive kernels against themselves: what remains is determinism and the checks of arguments. */
class NaiveKernelsContractTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        return new NaiveKernels();
    }
}
