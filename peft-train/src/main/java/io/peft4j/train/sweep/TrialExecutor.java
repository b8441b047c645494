package io.peft4j.train.sweep;

import io.peft4j.core.Internal;
import io.peft4j.train.Cancellation;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.util.List;
import java.util.function.Consumer;

/**
 * Where the trials of a sweep are trained: on other machines, for instance, which see the sweep's output folder and
 * call {@link SweepBuilder#train} there. The sweep itself chooses trials, and writes how they stand, where it is.
 */
@Internal(shared = true)
public interface TrialExecutor {
    /**
     * How many trials are trained at once.
     *
     * @param sideBySide as many share passes on one machine
     */
    int room(int sideBySide);

    /**
     * Trains some trials.
     *
     * @param trials no more than there is room for
     * @param share the share of its steps up to which each is trained
     * @param cancellation stops the trials after their update, so that they can be resumed; the method returns then
     * @param ended gets the state of each when it has ended or is paused, by one thread
     */
    void train(List<Trial> trials, double share, Cancellation cancellation, Consumer<Trial> ended);
}
