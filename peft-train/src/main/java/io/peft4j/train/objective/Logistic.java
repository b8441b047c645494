package io.peft4j.train.objective;

/** The logistic function, in double and without overflow. */
final class Logistic {
    private Logistic() {
    }

    /** {@code 1 / (1 + exp(-x))}. */
    static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + Math.exp(-x)) : 1 - 1 / (1 + Math.exp(x));
    }

    /** {@code -log(sigmoid(x))}; the derivative is {@code -sigmoid(-x)}. */
    static double negativeLogSigmoid(double x) {
        return Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    /** {@code log(1 - exp(x))} for {@code x < 0}; the derivative is {@code -exp(x) / (1 - exp(x))}. */
    static double log1MinusExp(double x) {
        return x < -Math.log(2) ? Math.log1p(-Math.exp(x)) : Math.log(-Math.expm1(x));
    }
}
