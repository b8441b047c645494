package io.peft4j.core.measure;

import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;

/**
 * What the frozen linear layers of a network cost: most of the work of training, and most of the memory that a step of
 * generation reads.
 *
 * @param parameters elements of all linear layers but the output layer
 * @param headParameters elements of the output layer
 * @param bytes bytes that all of them take in memory, the output layer included
 */
public record LinearWork(long parameters, long headParameters, long bytes) {
    /** Counts the layers of a network. */
    public static LinearWork of(Network network) {
        long parameters = 0;
        long head = 0;
        long bytes = 0;
        for (Slot slot : network.slots()) {
            if (slot.layer() instanceof Linear linear) {
                long elements = (long) linear.inFeatures() * linear.outFeatures();
                boolean output = network.output().filter(slot::equals).isPresent();
                parameters += output ? 0 : elements;
                head += output ? elements : 0;
                bytes += linear.weight().bytes();
            }
        }
        return new LinearWork(parameters, head, bytes);
    }

    /**
     * Floating-point operations that training cannot do without: forward and the gradient of the input through every
     * frozen layer, {@code 4} an element and row; the output layer on supervised rows only. What adapters, attention
     * and all else cost is not in it.
     *
     * @param rows rows (tokens) that are computed
     * @param supervised tokens that are predicted
     */
    public double trainingFlops(long rows, long supervised) {
        return 4.0 * parameters * rows + 4.0 * headParameters * supervised;
    }
}
