package io.peft4j.train.objective;

import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;

/**
 * The options of {@link KtoObjective}.
 *
 * @param beta how firmly the model is held to the reference, above 0: higher means nearer; default 0.1
 * @param desirableWeight the weight of the loss of good answers, above 0; default 1
 * @param undesirableWeight that of bad ones, above 0; default 1. The weights of both kinds, each times its number of
 *     examples, should be about alike
 * @param reference what the model is held against; default {@link Reference#BASE}
 */
@With
public record KtoOptions(@Option(range = "(0,)") double beta,
        @Option(range = "(0,)", called = "the weight of desirable answers") double desirableWeight,
        @Option(range = "(0,)", called = "the weight of undesirable answers") double undesirableWeight,
        Reference reference) implements KtoOptionsWith {
    /** Checks the ranges. */
    public KtoOptions {
        KtoOptionsWith.check(beta, desirableWeight, undesirableWeight, reference);
    }

    /** The defaults. */
    public static KtoOptions defaults() {
        return new KtoOptions(0.1, 1, 1, Reference.BASE);
    }
}
