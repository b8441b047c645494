package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** What an objective computes a batch with: passes of the model, and a place for what it measures besides the loss. */
public interface Passes {
    /**
     * Runs a pass of training: dropout is on, and gradients are recorded.
     *
     * @param part of a batch that runs in several passes the number of this one, from 0: the same part has the same
     *     dropout each time
     * @param sequences what runs
     * @param work what is computed; the pass is closed afterwards
     */
    double training(int part, List<TokenSequence> sequences, ToDoubleFunction<Pass> work);

    /** The pass of training of a batch that needs one. */
    default double training(List<EncodedExample> batch, ToDoubleFunction<Pass> work) {
        return training(0, EncodedExample.sequences(batch), work);
    }

    /** Runs a pass of evaluation: dropout is off, and nothing is recorded. */
    <T> T evaluation(List<TokenSequence> sequences, Function<Pass, T> work);

    /** As {@link #evaluation}, of the base model without its adapter. */
    <T> T base(List<TokenSequence> sequences, Function<Pass, T> work);

    /** The same passes, whose measures have a name and a stroke before their own. */
    Passes named(String name);

    /** A seed for what is drawn for this batch: another one in each update, and the same when it is resumed. */
    long seed();

    /**
     * Takes values of a measure, such as {@code rewards/chosen}; what is reported is their mean over an update or over
     * the validation data.
     *
     * @param name the measure
     * @param sum the sum of the values
     * @param count how many there are, or the sum of their weights
     */
    default void measure(String name, double sum, double count) {
        measure(name, new double[] {sum}, count);
    }

    /**
     * Takes values of a measure by each of several ways to compute it: what is reported is the lowest of their means.
     *
     * @param name the measure
     * @param sums for each way the sum of the values, as many each time
     * @param count how many there are, or the sum of their weights
     */
    void measure(String name, double[] sums, double count);

    /**
     * Takes of an example, in training, what the model said of it before the update; default: it is not used.
     *
     * @param right whether all of it was predicted right, of a text each token that is learned as the likeliest
     * @param loss its mean loss
     */
    default void visited(EncodedExample example, boolean right, double loss) {
    }

    /** Takes an answer that the model gave, to be shown; default: it is not. */
    @Internal
    default void show(SampledAnswer answer) {
    }
}
