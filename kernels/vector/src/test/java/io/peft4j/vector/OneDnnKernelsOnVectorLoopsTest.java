package io.peft4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.KernelsContract;
import io.peft4j.core.kernel.LoopSelection;
import io.peft4j.onednn.OneDnnKernels;
import org.junit.jupiter.api.Tag;

/** The oneDNN's kernels with these loops against the naive ones. */
@Tag("processor")
@Tag("full")
class OneDnnKernelsOnVectorLoopsTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        assertEquals("vector", LoopSelection.create().name());
        return new OneDnnKernels(threads);
    }

    /** The reason is in the contract of oneDNN's kernels without the Vector API. */
    @Override
    public double bfloat16Tolerance() {
        return 1.0 / 64;
    }
}
