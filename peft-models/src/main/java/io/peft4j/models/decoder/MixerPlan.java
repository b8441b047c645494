package io.peft4j.models.decoder;

import io.peft4j.core.nn.LayerMemory;
import java.util.List;
import java.util.Optional;

/** What reads the tokens before each one in a layer: attention, or a part that remembers them in another way. */
sealed interface MixerPlan permits AttentionPlan, ShortConvolutionPlan, DeltaRulePlan, Mamba2Plan,
        MixerPlan.None, MixerPlan.Both {
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

    /** Mamba 2 and attention, which read the same; what both give is added. */
    record Both(Mamba2Plan mamba, Scaled.Factors mambaFactors, AttentionPlan ofTokens,
            Scaled.Factors attentionFactors) implements MixerPlan {
        @Override
        public String name() {
            return mamba.name() + "_and_" + ofTokens.name();
        }

        @Override
        public LayerMemory memory() {
            return new LayerMemory.Both(new LayerMemory.KeysAndValues(ofTokens.shape().keyColumns()), mamba.memory());
        }

        @Override
        public Optional<AttentionPlan> attention() {
            return Optional.of(ofTokens);
        }
    }

    /** The place below the layer's. */
    String name();

    /** The attention in it, if any. */
    default Optional<AttentionPlan> attention() {
        return Optional.empty();
    }

    /** What it remembers of a sequence. */
    LayerMemory memory();
}
