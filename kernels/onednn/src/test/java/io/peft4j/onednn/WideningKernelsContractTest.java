package io.peft4j.onednn;

import io.peft4j.core.kernel.Kernels;
import org.junit.jupiter.api.Tag;

/** The same contract where bf16 is stored and products are computed in f32. */
@Tag("forced-bf16")
@Tag("full")
class WideningKernelsContractTest extends OneDnnKernelsContractTest {
    @Override
    protected Kernels create(int threads) {
        return new OneDnnKernels(threads, "widen");
    }
}
