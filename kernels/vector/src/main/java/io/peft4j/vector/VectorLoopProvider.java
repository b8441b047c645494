package io.peft4j.vector;

import io.peft4j.core.kernel.LoopProvider;
import io.peft4j.core.kernel.Loops;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Offers {@link VectorLoops} where the JVM was started with {@code --add-modules jdk.incubator.vector} and the
 * processor multiplies and adds in one instruction. Without the module nothing of the Vector API is touched.
 */
public final class VectorLoopProvider implements LoopProvider {
    private static final Logger LOG = LoggerFactory.getLogger(VectorLoopProvider.class);
    private static final String MODULE = "jdk.incubator.vector";

    /** Made by {@link java.util.ServiceLoader}. */
    public VectorLoopProvider() {
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public boolean available() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            LOG.info("the Vector API is not used: the JVM was not started with --add-modules {}", MODULE);
            return false;
        }
        if (!VectorLoops.runsFast()) {
            LOG.info("the Vector API is not used: the JVM has no vectors with fused multiplication on this processor");
            return false;
        }
        return true;
    }

    @Override
    public Loops create() {
        return new VectorLoops();
    }
}
