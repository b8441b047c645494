package io.peft4j.models.decoder;

/**
 * The kind of a decoder's norms.
 *
 * @param kind RMS norm or layer norm
 * @param epsilon added to the mean of squares or the variance
 * @param offset added to the weight where it is used: 1 in Gemma, whose checkpoints hold the distance from 1
 * @param bias whether a layer norm has a bias
 */
record NormPlan(Kind kind, float epsilon, float offset, boolean bias) {
    enum Kind {
        /** The root of the mean of squares; there is a weight. */
        RMS,
        /** Mean and variance; there is a weight. */
        LAYER
    }

    /** Llama's norm. */
    static NormPlan rms(double epsilon) {
        return new NormPlan(Kind.RMS, (float) epsilon, 0, false);
    }

    /** A layer norm with a bias. */
    static NormPlan layer(double epsilon) {
        return new NormPlan(Kind.LAYER, (float) epsilon, 0, true);
    }

    NormPlan withOffset(float value) {
        return new NormPlan(kind, epsilon, value, bias);
    }

    NormPlan withBias(boolean value) {
        return new NormPlan(kind, epsilon, offset, value);
    }
}
