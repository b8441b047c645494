package io.peft4j.onednn;

import io.peft4j.core.kernel.Kernels;
import org.junit.jupiter.api.Tag;

/** The same contract where bf16 is multiplied as it is, on processors that have an instruction for it. */
@Tag("forced-bf16")
@Tag("full")
class MultiplyingKernelsContractTest extends OneDnnKernelsContractTest {
    @Override
    protected Kernels create(int threads) {
        return new OneDnnKernels(threads, DnnlLibrary.multipliesBFloat16() ? "multiply" : "auto");
    }
}
