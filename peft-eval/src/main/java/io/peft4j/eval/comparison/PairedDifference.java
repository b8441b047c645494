package io.peft4j.eval.comparison;

import io.peft4j.core.Internal;
import io.peft4j.eval.statistics.Resampled;

/** The difference {@code tuned - base} of a statistic of two sets of answers to the same items. */
@Internal
public interface PairedDifference extends Resampled {
    /** The statistic of the base. */
    double base();

    /** The statistic of the tuned model. */
    double tuned();

    /** The difference with the two answers to some items exchanged. */
    double exchanged(boolean[] items);

    @Override
    default double ofAll() {
        return tuned() - base();
    }
}
