package io.peft4j.core.kernel.internal;

import java.util.Map;

/**
 * Every operation in plain loops: values in f32, sums in double, one thread, no cleverness. This is the truth that the
 * fast kernels are tested against, and it runs wherever Java does.
 */
public final class NaiveKernels extends CheckedKernels {
    /** Kernels that hold nothing. */
    public NaiveKernels() {
        this(new NaiveOperations());
    }

    private NaiveKernels(NaiveOperations all) {
        super("naive", new KernelGroups(all, all, all, new NaiveActivations(), all, all, new NaiveLayerNorm(), all, all,
                all, all));
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("kernels", name());
    }

    /** Holds nothing. */
    @Override
    public void close() {
    }
}
