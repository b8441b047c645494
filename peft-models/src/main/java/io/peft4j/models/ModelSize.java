package io.peft4j.models;

import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How many values a checkpoint holds, by what becomes of them: decides which precision fits into memory.
 *
 * @param linear elements of the matrices that may be quantized
 * @param other elements of all other tensors: embedding and output layer, norms, biases
 * @param blockBytes bytes of those matrices as the file holds them, where all of them are quantized blocks
 */
record ModelSize(long linear, long other, Optional<Long> blockBytes) {
    private static final double BITS_A_BYTE = 8;
    /** 4 bits a value, and 32 for scale and minimum of 32 values. */
    private static final double FOUR_BIT_BITS = 5;

    /** A size whose linear layers are plain floats in the file. */
    static ModelSize of(long linear, long other) {
        return new ModelSize(linear, other, Optional.empty());
    }

    /** Counts tensors of a checkpoint; a matrix with a row for each token of the vocabulary is never quantized. */
    static ModelSize of(TensorStore tensors, int vocabulary, Predicate<String> counted) {
        long linear = 0;
        long other = 0;
        long blocks = 0;
        boolean all = true;
        for (String name : tensors.names().stream().filter(counted).toList()) {
            long[] shape = tensors.shape(name);
            if (shape.length == 2 && shape[0] != vocabulary) {
                linear += tensors.elements(name);
                blocks += tensors.length(name);
                all &= tensors.blockType(name).map(BlockType::isQuantized).orElse(false);
            } else {
                other += tensors.elements(name);
            }
        }
        return new ModelSize(linear, other, all && linear > 0 ? Optional.of(blocks) : Optional.empty());
    }

    /**
     * The memory that the weights take.
     *
     * @param precision what they are kept in; not {@link ModelOptions.Precision#AUTO}
     * @param narrow whether what is not quantized is bfloat16 rather than f32
     * @return bytes, scales of quantized weights included
     */
    long weightBytes(ModelOptions.Precision precision, boolean narrow) {
        long rest = other * (narrow ? Short.BYTES : Float.BYTES);
        return switch (precision) {
            case F32 -> Float.BYTES * (linear + other);
            case BF16 -> Short.BYTES * (linear + other);
            case INT8 -> linear + rest;
            case Q4 -> blockBytes.orElse((long) (linear * (FOUR_BIT_BITS / BITS_A_BYTE))) + rest;
            case AUTO -> throw new IllegalArgumentException("the precision is not chosen yet");
        };
    }
}
