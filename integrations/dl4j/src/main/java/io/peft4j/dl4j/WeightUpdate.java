package io.peft4j.dl4j;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What a method makes of one weight: W' out of the frozen W and a few trained tensors. The layer computes with W' as it
 * does with any weight and so gives dW', from which the gradients of the tensors follow. So every kind of layer is
 * adapted alike, a merged network computes the same, and a method is one class.
 */
interface WeightUpdate {
    /**
     * A trained tensor.
     *
     * @param name the name in a file after the path and a dot, for instance {@code lora_A.weight}
     * @param key how it is called in DeepLearning4J's tables, after the weight's key and a dot; without {@code _},
     *     which separates layers from parameters there
     * @param rows rows of the matrix in memory; 0 for a vector
     * @param columns columns of the matrix, or length of the vector
     * @param fileShape dimensions in the file
     */
    record Tensor(String name, String key, long rows, long columns, long[] fileShape) {
        /** How many values it has. */
        long length() {
            return Math.max(rows, 1) * columns;
        }
    }

    List<Tensor> tensors();

    /** Gives the tensors of a new adapter their first values. */
    void begin(AdaptedWeight weight, RandomGenerator random);

    /** Changes the weight, and its bias where it has one, from the frozen ones, which are there when this is called. */
    void apply(AdaptedWeight weight);

    /** Computes the gradients of the tensors from those of the weight and its bias. */
    void backward(AdaptedWeight weight);
}
