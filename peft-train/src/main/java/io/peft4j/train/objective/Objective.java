package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Pass;
import java.util.List;

/**
 * What a training minimizes: what an example is, its loss and its gradient. The trainer's loop, its batches and its
 * checkpoints are the same for all objectives. An objective keeps nothing of a batch, so that a training that is
 * resumed goes on as if it had never stopped.
 *
 * @param <E> an example as a user has it
 */
public interface Objective<E> {
    /** Its name, as in {@code classification}: a training is resumed with the same objective only. */
    String name();

    /**
     * An example as it is trained on: as a rule one, and several where it is cut into parts.
     *
     * @throws io.peft4j.core.error.PeftException when the example does not go with the model, such as an unknown label
     */
    List<EncodedExample> encode(E example);

    /**
     * The sum of the weighted losses of a batch, with the gradients of {@code sum / normalizer} added to the trainable
     * parameters.
     *
     * @param pass a pass of training on the examples' sequences, in their order
     * @param batch the examples
     * @param normalizer what the sum is divided by: the weights of all examples of the update
     */
    double backward(Pass pass, List<EncodedExample> batch, double normalizer);

    /**
     * The sum of the weighted losses of a batch.
     *
     * @param pass a pass of evaluation on the examples' sequences, in their order
     * @param batch the examples
     */
    double loss(Pass pass, List<EncodedExample> batch);

    /**
     * The same with label smoothing in training, for objectives whose loss is a cross-entropy over the vocabulary.
     *
     * @param share the share of the target that is spread over all tokens, above 0 and below 1
     * @throws ConfigurationException when the objective has none
     */
    default Objective<E> withLabelSmoothing(double share) {
        throw new ConfigurationException("the objective '" + name() + "' has no label smoothing, but " + share
                + " was given; it is for sft and seq2seq");
    }
}
