package io.peft4j.models.decoder;

import io.peft4j.core.nn.LayerMemory;

/** What reads the tokens before each one in a layer: attention, or a part that remembers them in another way. */
sealed interface MixerPlan permits AttentionPlan, ShortConvolutionPlan, DeltaRulePlan, Mamba2Plan {
    /** The place below the layer's. */
    String name();

    /** What it remembers of a sequence. */
    LayerMemory memory();
}
