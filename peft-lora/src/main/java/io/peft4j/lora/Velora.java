package io.peft4j.lora;

import io.peft4j.core.peft.ObjectFormat;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;

/**
 * VeLoRA (<a href="https://arxiv.org/abs/2405.17991">2405.17991</a>), {@code velora_config} of {@link LoraConfig}: LoRA
 * whose A learns from compressed inputs: a row x [in] is cut into G groups of {@code d = ceil(in / G)} values, the last
 * ones filled up with zeros, of each of which only its product with a unit vector e [d] is left: {@code x'_g = scale *
 * (x_g . e) e}, {@code dA = dh^T x'}. All else is that of LoRA, and so is the number of parameters.
 *
 * <p>The gradient is that of Hugging Face PEFT; the memory of the inputs is not saved here, as layers beside this one
 * read them too.
 *
 * @param groups {@code num_groups}: G; default 64
 * @param scale {@code scale}: of the inputs that are put together again, above 0; default 1
 * @param direction {@code init_type}: what e is; default {@link Direction#AVERAGE}
 */
public record Velora(@Key(value = "num_groups", fallback = "64") int groups,
        @Key(value = "scale", fallback = "1.0") double scale,
        @Key(value = "init_type", fallback = "\"batch_average\"") Direction direction) {
    /** Where e comes from. */
    public enum Direction {
        /** The average group of a batch, computed for each one. */
        @KeyFormat.Named("\"batch_average\"")
        AVERAGE,
        /** The average group of the first batch of a training. */
        @KeyFormat.Named("\"batch_average_once\"")
        FIRST_AVERAGE,
        /** Drawn once. */
        @KeyFormat.Named("\"random\"")
        RANDOM
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is not above 0
     */
    public Velora {
        Checks.atLeast(1, "num_groups", groups);
        Checks.require(scale > 0, "scale is " + scale + "; it must be above 0");
    }

    /** An object, or null. */
    static final class Format extends ObjectFormat<Velora> {
        Format() {
            super(Velora.class);
        }
    }
}
