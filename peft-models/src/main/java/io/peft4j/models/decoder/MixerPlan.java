package io.peft4j.models.decoder;

import io.peft4j.core.nn.LayerMemory;
import java.util.List;

/** What reads the tokens before each one in a layer: attention, or a part that remembers them in another way. */
sealed interface MixerPlan permits AttentionPlan, ShortConvolutionPlan, DeltaRulePlan, Mamba2Plan,
        MixerPlan.None {
    /** Nothing: such a layer has a feed-forward network alone. */
    record None() implements MixerPlan {
        @Override
        public String name() {
            return "";
        }

        @Override
        public LayerMemory memory() {
            return new LayerMemory.State(List.of());
        }
    }

    /** The place below the layer's. */
    String name();

    /** What it remembers of a sequence. */
    LayerMemory memory();
}
