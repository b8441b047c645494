package io.peft4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.KernelsContract;
import io.peft4j.core.kernel.LoopSelection;
import io.peft4j.core.kernel.Nd4jKernels;
import org.junit.jupiter.api.Tag;

/** The portable kernels with these loops against the naive ones. */
@Tag("full")
class Nd4jKernelsOnVectorLoopsTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        assertEquals("vector", LoopSelection.create().name());
        return new Nd4jKernels(threads);
    }
}
