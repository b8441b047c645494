package io.peft4j.models.architecture;

import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What the matrices of a checkpoint are kept in, and the type of activations that goes with it. Only the linear layers
 * of the blocks are quantized: they are most of a model. Embedding and output layer stay in the activations' type, as
 * bitsandbytes leaves them: they are read row by row or turn into logits, where rounding shows most.
 *
 * @param activations the type of large activations and of what is not quantized: FLOAT or BFLOAT16
 * @param linear what linear layers are kept in
 * @param blocks which matrices keep the quantized blocks that a GGUF file holds
 */
public record WeightType(DataType activations, Linear linear, Blocks blocks) {
    /** 32-bit floats, exact. */
    public static final WeightType F32 = dense(DataType.FLOAT);
    /** bfloat16 weights and large activations; norms, softmax, loss and adapters stay in 32 bits. */
    public static final WeightType BF16 = dense(DataType.BFLOAT16);

    /** What linear layers are kept in. */
    public enum Linear {
        /** The type of the activations. */
        DENSE,
        /** Bytes with a scale for each output feature. */
        INT8,
        /**
         * Blocks of 32 values of 4 bits with a scale and a minimum. Where the number of input features is not a
         * multiple of 32, as {@link #INT8}.
         */
        FOUR_BIT
    }

    /** Which matrices keep the quantized blocks that a GGUF file holds; all others are converted. */
    public enum Blocks {
        /** None. */
        CONVERTED,
        /** Those of linear layers. */
        KEPT_IN_LINEAR,
        /** All. */
        KEPT
    }

    /** Refuses null and types that kernels do not compute with. */
    public WeightType {
        Objects.requireNonNull(linear, "linear");
        Objects.requireNonNull(blocks, "blocks");
        if (activations != DataType.FLOAT && activations != DataType.BFLOAT16) {
            throw new IllegalArgumentException("activations are FLOAT or BFLOAT16, not " + activations);
        }
    }

    /** Everything in the type of the activations. */
    public static WeightType dense(DataType activations) {
        return new WeightType(activations, Linear.DENSE, Blocks.CONVERTED);
    }
}
