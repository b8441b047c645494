package io.peft4j.vector;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.KernelsContract;
import org.junit.jupiter.api.Tag;

/** oneDNN's kernels in passes of generation with these loops, against the naive ones. */
@Tag("processor")
@Tag("full")
class DecodingOnVectorLoopsTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        return DecodingProductsOnVectorLoopsTest.create(threads);
    }

    /** The reason is in the contract of oneDNN's kernels without the Vector API. */
    @Override
    public double bfloat16Tolerance() {
        return 1.0 / 64;
    }
}
