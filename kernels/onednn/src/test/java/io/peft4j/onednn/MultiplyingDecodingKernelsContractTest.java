package io.peft4j.onednn;

import io.peft4j.core.kernel.Kernels;
import org.junit.jupiter.api.Tag;

/** Passes of generation where bf16 is multiplied as it is, on processors that have an instruction for it. */
@Tag("forced-bf16")
class MultiplyingDecodingKernelsContractTest extends DecodingKernelsContractTest {
    @Override
    protected Kernels create(int threads) {
        return new MultiplyingDecodingKernelsTest().create(threads, 8);
    }
}
