package io.peft4j.models.decoder;

import io.peft4j.core.nn.LayerMemory;
import java.util.List;

/**
 * A gated short convolution, as LFM2 has it; see {@link ShortConvolution}.
 *
 * @param name the place below the layer's
 * @param width H
 * @param taps K, the tokens that it reads, the last one included
 * @param bias whether its layers have biases
 */
record ShortConvolutionPlan(String name, int width, int taps, boolean bias) implements MixerPlan {
    @Override
    public LayerMemory memory() {
        return new LayerMemory.State(List.of(new LayerMemory.State.Part(taps - 1, width)));
    }
}
