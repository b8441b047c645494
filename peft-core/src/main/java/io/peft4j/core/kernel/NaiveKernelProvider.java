package io.peft4j.core.kernel;

/** Offers {@link NaiveKernels}: they run anywhere, for comparison. */
public final class NaiveKernelProvider implements KernelProvider {
    @Override
    public String name() {
        return "naive";
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public boolean available() {
        return true;
    }

    @Override
    public Kernels create(int threads) {
        return new NaiveKernels();
    }
}
