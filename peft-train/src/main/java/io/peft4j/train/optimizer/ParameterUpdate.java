package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.io.Closer;
import io.peft4j.core.kernel.Kernels;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The updates of one parameter, with what they remember: native memory, freed by {@link #close}. */
@Internal
public interface ParameterUpdate extends AutoCloseable {
    /**
     * The numbers of one update of a parameter.
     *
     * @param number 1 for the first
     * @param learningRate step size
     * @param weightDecay weight decay, as the optimizer takes it
     * @param gradientScale factor on the gradient before anything else (clipping)
     */
    record UpdateStep(long number, double learningRate, double weightDecay, double gradientScale) {
    }

    /** Changes the parameter by its gradient, which stays as it is. Runs in a turn on the engine. */
    void apply(Kernels kernels, UpdateStep step);

    /**
     * What is remembered, the arrays themselves, by names that are the same in every training: they go into
     * checkpoints, and are filled from there before the next update. FLOAT or UBYTE.
     */
    Map<String, INDArray> arrays();

    @Override
    default void close() {
        Closer.closeAll(arrays().values());
    }
}
