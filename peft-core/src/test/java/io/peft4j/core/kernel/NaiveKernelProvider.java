package io.peft4j.core.kernel;

/** Offers {@link NaiveKernels}, which run everywhere and are chosen only by name. */
public final class NaiveKernelProvider implements KernelProvider {
    /** For {@link java.util.ServiceLoader}. */
    public NaiveKernelProvider() {
    }

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
    public CheckedKernels create(int threads) {
        return new NaiveKernels();
    }
}
