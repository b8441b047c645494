package io.peft4j.train.objective;

import java.util.List;

/** What objectives over likelihoods of whole answers have in common. */
interface AnswerObjective<E> extends Objective<E> {
    @Override
    default double autoRateFactor() {
        return PreferenceObjective.RATE_FACTOR;
    }

    @Override
    default double autoEpochsFactor() {
        return PreferenceObjective.EPOCHS_FACTOR;
    }

    @Override
    default List<EncodedExample> encode(E example) {
        return encode(List.of(example), new DataSetup("training", Integer.MAX_VALUE, 1)).examples();
    }
}
