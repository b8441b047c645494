package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a training minimizes: what an example is, its loss and its gradient. The trainer's loop, its batches and its
 * checkpoints are the same for all objectives. An objective keeps nothing of a batch, so that a training that is
 * resumed continues as if it had never stopped.
 *
 * @param <E> an example as a user has it
 */
public interface Objective<E> {
    /** What objectives with right answers measure beside the loss: the share of right ones, from 0 to 1. */
    String ACCURACY = "accuracy";
    /**
     * What objectives of probabilities measure on validation data: the loss with the logits divided by the temperature
     * that suits them best. The state that is kept, and patience, go by it where it is measured: an overconfident model
     * has a rising loss while more and more of its answers are right, and calibration mends the confidence.
     */
    String CALIBRATED_LOSS = "calibrated_loss";

    /** Its name, as in {@code classification}: a training is resumed with the same objective only. */
    String name();

    /** The options that decide what is learned, by name: a training is resumed with the same only. Default: none. */
    default Map<String, String> settings() {
        return Map.of();
    }

    /**
     * An example as it is trained on: as a rule one, and several where it is cut into parts.
     *
     * @throws io.peft4j.core.error.PeftException when the example does not go with the model, such as an unknown label
     */
    List<EncodedExample> encode(E example);

    /**
     * All examples as they are trained on, without those from which nothing can be learned.
     *
     * @throws io.peft4j.core.error.PeftException when an example does not go with the model; says which
     */
    default EncodedExamples encode(List<E> examples, DataSetup setup) {
        List<EncodedExample> all = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            try {
                long row = i + 1;
                encode(examples.get(i)).forEach(example -> all.add(example.ofRow(row)));
            } catch (ConfigurationException | FileFormatException e) {
                throw new ConfigurationException(setup.kind() + " example " + (i + 1) + ": " + e.getMessage(), e);
            }
        }
        return new EncodedExamples(all, 0);
    }

    /** How many {@link #reference} values an example has; default 0. */
    default int referenceValues() {
        return 0;
    }

    /** How many of them this example has, where not all have as many; the other says then only that there are some. */
    default int referenceValues(EncodedExample example) {
        return referenceValues();
    }

    /**
     * What the mean loss of each part of the examples counts ({@link EncodedExample#part}): the loss is their weighted
     * sum. Batches hold examples of one part. Default: there is one part.
     */
    default List<Double> partWeights() {
        return List.of(1.0);
    }

    /**
     * What is computed once for each example, before the first update, and kept with the training's checkpoints; later
     * batches find it behind an example's other {@linkplain EncodedExample#targets() targets}.
     *
     * @return for each example of the batch its {@link #referenceValues(EncodedExample)} numbers
     */
    default float[][] reference(Passes passes, List<EncodedExample> batch) {
        return new float[batch.size()][0];
    }

    /**
     * Whether the loss of an example depends on the others of its batch. Then a batch is computed by one worker where
     * several train together; otherwise they divide it. Default: false.
     */
    default boolean comparesExamples() {
        return false;
    }

    /**
     * Whether a training ends where its rewards fall far, or its answers grow until they are cut; else that is a
     * warning. Default: false.
     */
    default boolean endsOnCollapse() {
        return false;
    }

    /**
     * Whether a training with validation data leaves the adapter of the lowest validation loss
     * ({@link #CALIBRATED_LOSS} where that is measured) without being asked to: for losses that rise again long before
     * the training ends. Default: false.
     */
    default boolean keepsBest() {
        return false;
    }

    /**
     * The share of its examples that an automatic training waits for before its rate falls; those that are left are
     * learned while it falls, or are wrong. Only where it says of each example in training whether the model has it
     * right ({@link Passes#visited}). Default: 0, for a number of epochs.
     */
    default double learnedShare() {
        return 0;
    }

    /** What an automatic learning rate, which is one for learning answers, is multiplied by; default 1. */
    default double autoRateFactor() {
        return 1;
    }

    /** What an automatic number of epochs, as many as facts need to be learned, is multiplied by; default 1. */
    default double autoEpochsFactor() {
        return 1;
    }

    /** Updates that an automatic training has at least, where the epochs for that are not too many; default 0. */
    default int autoFewestUpdates() {
        return 0;
    }

    /**
     * An automatic number of examples an update.
     *
     * @param usual what suits the number of examples; the default
     */
    default int autoBatchSize(int usual) {
        return usual;
    }

    /**
     * The sum of the weighted losses of a batch, with the gradients of {@code sum / normalizer} added to the trainable
     * parameters.
     *
     * @param passes runs passes of training
     * @param batch the examples
     * @param normalizer what the sum is divided by: the weights of all examples of the update, of the batch's part,
     *     and by the weight of that
     */
    double backward(Passes passes, List<EncodedExample> batch, double normalizer);

    /** The sum of the weighted losses of a batch, in passes of evaluation. */
    double loss(Passes passes, List<EncodedExample> batch);

    /**
     * The same with label smoothing in training: for objectives whose loss is a cross-entropy over the vocabulary, or
     * the logistic loss of a preference.
     *
     * @param share the share of the target that is spread over all others, above 0 and below 1
     * @throws ConfigurationException when the objective has none
     */
    default Objective<E> withLabelSmoothing(double share) {
        throw new ConfigurationException("the objective '" + name() + "' has no label smoothing, but " + share
                + " was given; it is for sft, seq2seq, dpo and simpo");
    }
}
