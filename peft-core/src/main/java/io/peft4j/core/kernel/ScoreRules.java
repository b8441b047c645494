package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;

/**
 * What becomes of products of queries and keys before the softmax, in heap arrays: soft cap, bias, sinks.
 *
 * @param cap 0 for none
 * @param sinks one for each query head, or none
 * @param bias [heads, width], or none
 * @param width 2 S + 1
 */
record ScoreRules(float cap, float[] sinks, float[] bias, int width) {
    private static final float[] NONE = {};

    static ScoreRules of(AttentionShape shape, AttentionExtras extras) {
        return new ScoreRules(shape.softCap(), extras.sinks().map(Arrays::toFloats).orElse(NONE),
                extras.bias().map(Arrays::toFloats).orElse(NONE), extras.bias().map(Arrays::columns).orElse(0));
    }

    /** The factor of the product, so that soft-capped scores come as arguments of the hyperbolic tangent. */
    float factor(float scale) {
        return cap == 0 ? scale : scale / cap;
    }

    /** Applies the hyperbolic tangent of the soft cap. */
    void tangents(Loops loops, float[] u, int count) {
        if (cap != 0) {
            loops.activate(Activation.TANH, u, u, count);
        }
    }

    /** Makes scores of the tangents. */
    void scores(float[] u, int count) {
        if (cap != 0) {
            RowMath.scale(u, cap, 0, count);
        }
    }

    /** Adds the bias to elements {@code from} to {@code to} of a row whose first is for {@code distance}. */
    void addBias(int head, int distance, float[] u, int at, int from, int to) {
        if (bias.length > 0) {
            int span = width / 2;
            for (int i = from; i < to; i++) {
                u[at + i] += bias[head * width + span + Math.max(-span, Math.min(span, distance + i))];
            }
        }
    }

    /** The largest score of a row, its sink among them. */
    float max(int head, float largest) {
        return sinks.length == 0 ? largest : Math.max(sinks[head], largest);
    }

    /** The exponential of a head's sink, less {@code max}. */
    double sink(int head, float max) {
        return sinks.length == 0 ? 0 : Math.exp(sinks[head] - (double) max);
    }

    /** Multiplies gradients of scores with the slope of the cap; t are the tangents. */
    void capBackward(float[] d, float[] t, int count) {
        if (cap != 0) {
            for (int i = 0; i < count; i++) {
                d[i] *= 1 - t[i] * t[i];
            }
        }
    }
}
