package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.nn.LayerMemory;
import java.util.List;

/**
 * Mamba 2; see {@link Mamba2}.
 *
 * @param name the place below the layer's
 * @param shape heads and sizes: those of B and C are keys and queries, Dk is the size of a state
 * @param taps K, the tokens that the convolution before it reads
 * @param activation of what comes out of the convolution
 * @param bias whether its linear layers have biases
 * @param convolutionBias whether its convolution has one
 * @param leastStep the shortest step
 * @param mostStep the longest step
 */
record Mamba2Plan(String name, ScanShape shape, int taps, Activation activation, boolean bias, boolean convolutionBias,
        double leastStep, double mostStep) implements MixerPlan {
    /** Columns of x, B and C together. */
    int columns() {
        return shape.valueColumns() + 2 * shape.keyColumns();
    }

    @Override
    public LayerMemory memory() {
        return new LayerMemory.State(List.of(new LayerMemory.State.Part(taps - 1, columns()),
                new LayerMemory.State.Part(shape.valueHeads() * shape.keySize(), shape.valueSize())));
    }
}
