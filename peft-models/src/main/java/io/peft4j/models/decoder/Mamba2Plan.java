package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.nn.LayerMemory;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Mamba 2; see {@link Mamba2}.
 *
 * @param name the place below the layer's
 * @param shape heads and sizes: those of B and C are keys and queries, Dk is the size of a state
 * @param taps K, the tokens that the convolution before it reads
 * @param activation of what comes out of the convolution
 * @param bias whether {@code in} has a bias
 * @param outputBias whether {@code out} has one
 * @param convolutionBias whether its convolution has one
 * @param leastStep the shortest step
 * @param mostStep the longest step
 * @param norm where it has a norm
 * @param scales factors on z, x', B, C and dt as {@code in} gives them; empty: none
 */
record Mamba2Plan(String name, ScanShape shape, int taps, Activation activation, boolean bias, boolean outputBias,
        boolean convolutionBias, double leastStep, double mostStep, Norm norm,
        List<Double> scales) implements MixerPlan {
    enum Norm {
        /** Nowhere. */
        NONE,
        /** In front of the gate. */
        BEFORE_GATE,
        /** Behind it. */
        BEHIND_GATE
    }

    /** Copies the list. */
    Mamba2Plan {
        scales = List.copyOf(scales);
    }

    /** Columns of x, B and C together. */
    int columns() {
        return shape.valueColumns() + 2 * shape.keyColumns();
    }

    /** The factor on each column that {@code in} gives. */
    float[] columnScales() {
        int[] widths = {shape.valueColumns(), shape.valueColumns(), shape.keyColumns(), shape.keyColumns(),
            shape.valueHeads()};
        float[] all = new float[IntStream.of(widths).sum()];
        int from = 0;
        for (int i = 0; i < widths.length; i++) {
            Arrays.fill(all, from, from + widths[i], scales.get(i).floatValue());
            from += widths[i];
        }
        return all;
    }

    @Override
    public LayerMemory.State memory() {
        return new LayerMemory.State(List.of(new LayerMemory.State.Part(taps - 1, columns()),
                new LayerMemory.State.Part(shape.valueHeads() * shape.keySize(), shape.valueSize())));
    }
}
