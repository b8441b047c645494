package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers {@link Nd4jKernels} where OpenBLAS loads. */
@Internal
public final class Nd4jKernelProvider implements KernelProvider {
    private static final Logger LOG = LoggerFactory.getLogger(Nd4jKernelProvider.class);

    /** For {@link java.util.ServiceLoader}. */
    public Nd4jKernelProvider() {
    }

    @Override
    public String name() {
        return "nd4j";
    }

    @Override
    public int priority() {
        return 10;
    }

    @Override
    public boolean available() {
        try {
            Blas.load();
            return true;
        } catch (LinkageError | RuntimeException e) {
            LOG.warn("the nd4j kernels are not available: OpenBLAS does not load ({})", e.toString());
            return false;
        }
    }

    @Override
    public CheckedKernels create(int threads) {
        return new Nd4jKernels(threads);
    }
}
