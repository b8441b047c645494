package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a method does in a training beside the gradients of the task: a term of the loss, and changes after an update.
 * Made for one training by {@link Adapter#training}; called by the trainer, update by update, counted from 0.
 */
@Internal(shared = true)
public interface TrainingHook extends AutoCloseable {
    /** Does nothing. */
    TrainingHook NONE = new TrainingHook() {
    };

    /**
     * Called when the gradients of an update are complete: adds the gradients of a term of the loss to those of the
     * parameters.
     *
     * @param step number of the update
     * @return the value of the term
     */
    default double addToGradients(long step) {
        return 0;
    }

    /** Called right before an update: it changes, and weight decay shrinks, what the parameters hold then. */
    default void beforeUpdate() {
    }

    /**
     * Called after an update, while the gradients that it was made with are there.
     *
     * @param step number of the update
     * @param gradientScale the factor that the gradients were multiplied by in it, for clipping
     */
    default void afterUpdate(long step, double gradientScale) {
    }

    /**
     * The arrays that a training which is resumed needs, FLOAT, the arrays themselves, by names that are the same in
     * every training of the adapter.
     */
    default Map<String, INDArray> arrays() {
        return Map.of();
    }

    /** Called when the {@linkplain #arrays arrays} of a resumed training have been read back. */
    default void resumed() {
    }

    /** Frees the arrays. */
    @Override
    default void close() {
    }
}
