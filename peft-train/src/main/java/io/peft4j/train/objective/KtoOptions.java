package io.peft4j.train.objective;

import java.util.Objects;

/**
 * The options of {@link KtoObjective}.
 *
 * @param beta how firmly the model is held to the reference, above 0: higher means nearer; default 0.1
 * @param desirableWeight the weight of the loss of good answers, above 0; default 1
 * @param undesirableWeight that of bad ones, above 0; default 1. The weights of both kinds, each times its number of
 *     examples, should be about alike
 * @param reference what the model is held against; default {@link Reference#BASE}
 */
public record KtoOptions(double beta, double desirableWeight, double undesirableWeight, Reference reference) {
    /** Checks the ranges. */
    public KtoOptions {
        Objects.requireNonNull(reference, "reference");
        DpoOptions.requireAboveZero("beta", beta);
        DpoOptions.requireAboveZero("the weight of desirable answers", desirableWeight);
        DpoOptions.requireAboveZero("the weight of undesirable answers", undesirableWeight);
    }

    /** The defaults. */
    public static KtoOptions defaults() {
        return new KtoOptions(0.1, 1, 1, Reference.BASE);
    }

    /** The same with another beta. */
    public KtoOptions withBeta(double value) {
        return new KtoOptions(value, desirableWeight, undesirableWeight, reference);
    }

    /** The same with other weights. */
    public KtoOptions withWeights(double desirable, double undesirable) {
        return new KtoOptions(beta, desirable, undesirable, reference);
    }

    /** The same with another reference. */
    public KtoOptions withReference(Reference value) {
        return new KtoOptions(beta, desirableWeight, undesirableWeight, value);
    }
}
