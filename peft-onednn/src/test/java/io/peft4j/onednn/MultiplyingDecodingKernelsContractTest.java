package io.peft4j.onednn;

import io.peft4j.core.kernel.Kernels;

/** Passes of generation where bf16 is multiplied as it is, on processors that have an instruction for it. */
class MultiplyingDecodingKernelsContractTest extends DecodingKernelsContractTest {
    @Override
    protected Kernels create(int threads) {
        Kernels kernels = new OneDnnKernels(threads, DnnlLibrary.multipliesBFloat16() ? "multiply" : "auto");
        kernels.decoding(true);
        return kernels;
    }
}
