package io.peft4j.models.encoder;

import io.peft4j.core.kernel.Activation;
import java.util.List;
import java.util.Optional;

/**
 * What makes the result of a task out of hidden states. Its names are whole paths.
 *
 * @param rows which rows of the hidden states it reads
 * @param steps linear layers before the last one
 * @param output the last one
 * @param dropout probability with which its input is dropped in training, in all steps but those that say otherwise
 * @param deviation standard deviation of the values of an output layer that the checkpoint lacks
 */
record HeadPlan(Rows rows, List<Step> steps, String output, float dropout, double deviation) {
    /** Which hidden states a head reads. */
    enum Rows {
        /** That of each sequence's first token. */
        FIRST,
        /** The mean of each sequence's tokens. */
        MEAN,
        /** Those of all tokens. */
        ALL,
        /** Those of all tokens; the result is the mean of each sequence's. */
        ALL_THEN_MEAN
    }

    /**
     * A linear layer [H, H] with what follows it.
     *
     * @param path its path
     * @param bias whether it has a bias
     * @param activation what follows
     * @param norm the path of a layer norm after that, if there is one
     * @param dropout whether its input is dropped in training
     */
    record Step(String path, boolean bias, Activation activation, Optional<String> norm, boolean dropout) {
    }
}
