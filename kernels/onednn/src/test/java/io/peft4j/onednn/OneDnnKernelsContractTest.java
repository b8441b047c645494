package io.peft4j.onednn;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.KernelsContract;
import org.junit.jupiter.api.Tag;

/** oneDNN's kernels against the naive ones. */
@Tag("processor")
class OneDnnKernelsContractTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        return new OneDnnKernels(threads);
    }

    /**
     * Rounding to BFLOAT16 is up to 2^-8 relative. Operands that are FLOAT, and results between two products, are
     * rounded too, so the errors of a few thousand sums of products reach four times that.
     */
    @Override
    public double bfloat16Tolerance() {
        return 1.0 / 64;
    }
}
