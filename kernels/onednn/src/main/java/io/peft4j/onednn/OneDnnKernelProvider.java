package io.peft4j.onednn;

import io.peft4j.core.kernel.CheckedKernels;
import io.peft4j.core.kernel.KernelProvider;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers {@link OneDnnKernels} where the native library loads and the processor has AVX2 or more. */
public final class OneDnnKernelProvider implements KernelProvider {
    private static final Logger LOG = LoggerFactory.getLogger(OneDnnKernelProvider.class);
    private static final int PRIORITY = 100;

    /** Made by {@link java.util.ServiceLoader}. */
    public OneDnnKernelProvider() {
    }

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public int priority() {
        return PRIORITY;
    }

    @Override
    public boolean available() {
        Optional<String> obstacle = DnnlLibrary.obstacle();
        obstacle.ifPresent(reason -> LOG.info("oneDNN is not used: {}", reason));
        return obstacle.isEmpty();
    }

    @Override
    public CheckedKernels create(int threads) {
        LOG.debug("{}, {} threads", DnnlLibrary.describe(), threads);
        return new OneDnnKernels(threads);
    }
}
