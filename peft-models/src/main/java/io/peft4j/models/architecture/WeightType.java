package io.peft4j.models.architecture;

import org.nd4j.linalg.api.buffer.DataType;

/** What the matrices of a checkpoint are kept in, and the type of activations that goes with it. */
public enum WeightType {
    /** 32-bit floats, exact. */
    F32(DataType.FLOAT, false),
    /** bfloat16 weights and large activations; norms, softmax, loss and adapters stay in 32 bits. */
    BF16(DataType.BFLOAT16, false),
    /** Quantized blocks stay as the file holds them, other matrices and activations are 32-bit floats. */
    BLOCKS_F32(DataType.FLOAT, true),
    /** Quantized blocks stay as the file holds them, other matrices and large activations are bfloat16. */
    BLOCKS_BF16(DataType.BFLOAT16, true);

    private final DataType activations;
    private final boolean keepsBlocks;

    WeightType(DataType activations, boolean keepsBlocks) {
        this.activations = activations;
        this.keepsBlocks = keepsBlocks;
    }

    /** The type of large activations. */
    public DataType activations() {
        return activations;
    }

    /** Whether quantized blocks are kept. */
    public boolean keepsBlocks() {
        return keepsBlocks;
    }
}
