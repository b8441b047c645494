package io.peft4j.onednn;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.KernelsContract;
import org.junit.jupiter.api.Tag;

/** oneDNN's kernels in passes of generation, with copies of the weights, against the naive ones. */
@Tag("processor")
@Tag("full")
class DecodingKernelsContractTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        return new DecodingKernelsTest().create(threads, 8);
    }

    /** As for the same kernels in other passes. */
    @Override
    public double bfloat16Tolerance() {
        return new OneDnnKernelsContractTest().bfloat16Tolerance();
    }
}
