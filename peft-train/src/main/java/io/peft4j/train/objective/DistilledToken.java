package io.peft4j.train.objective;

import java.util.stream.IntStream;

/**
 * The loss of tokens by a teacher's logits and its derivatives, in double; rows on several threads.
 *
 * @param temperature what logits are divided by
 * @param share the teacher's share of the loss
 * @param alpha which divergence of teacher t and student s: 0 {@code KL(t || s)}, 1 {@code KL(s || t)}, between them
 *     {@code alpha KL(t || m) + (1 - alpha) KL(s || m)} with {@code m = alpha t + (1 - alpha) s}
 * @param columns the size of the vocabulary
 */
record DistilledToken(double temperature, double share, double alpha, int columns) {
    /** By the divergence of the teacher's distribution. */
    DistilledToken(double temperature, double share, int columns) {
        this(temperature, share, 0, columns);
    }

    /**
     * What a teacher expects of some tokens.
     *
     * @param logits one row for each token that it knows
     * @param rows for each token its row, or -1 where it says nothing: then the cross-entropy alone is the loss
     */
    record Taught(float[] logits, int[] rows) {
    }

    /**
     * The losses of some tokens.
     *
     * @param logits the student's, one row a token; replaced by {@code weight / normalizer} times the derivatives of
     *     {@code (1 - share) CE + share T^2 D}
     * @param taught the teacher's
     * @param ids the tokens that stand there
     * @param weights what each row counts
     * @return for each token its cross-entropy, and the divergence D of both distributions at the temperature
     */
    double[][] rows(float[] logits, Taught taught, int[] ids, float[] weights, double normalizer) {
        double[][] losses = new double[logits.length / columns][];
        IntStream.range(0, losses.length).parallel().forEach(i -> losses[i] = taught.rows()[i] < 0
                ? new double[] {crossEntropy(logits, i * columns, ids[i], weights[i] / normalizer), 0}
                : row(logits, i * columns, taught.logits(), taught.rows()[i] * columns, ids[i],
                        weights[i] / normalizer));
        return losses;
    }

    private double crossEntropy(float[] logits, int first, int id, double weight) {
        double plain = logSum(logits, first, 1);
        double entropy = plain - logits[first + id];
        for (int i = first; i < first + columns; i++) {
            logits[i] = (float) (weight * (Math.exp(logits[i] - plain) - (i == first + id ? 1 : 0)));
        }
        return entropy;
    }

    private double[] row(float[] logits, int first, float[] taught, int firstTaught, int id, double weight) {
        double plain = logSum(logits, first, 1);
        double ours = temperature == 1 ? plain : logSum(logits, first, temperature);
        double theirs = logSum(taught, firstTaught, temperature);
        double entropy = plain - logits[first + id];
        double[] learned = new double[columns];
        double[] slopes = new double[columns];
        double divergence = 0;
        double mean = 0;
        for (int i = 0; i < columns; i++) {
            double logTaught = taught[firstTaught + i] / temperature - theirs;
            double logLearned = logits[first + i] / temperature - ours;
            double probability = Math.exp(logTaught);
            learned[i] = Math.exp(logLearned);
            if (alpha == 0) {
                divergence += probability * (logTaught - logLearned);
                slopes[i] = -probability;
            } else {
                double mixed = alpha == 1 ? logTaught : mixed(probability, learned[i], logLearned);
                double other = alpha == 1 ? 0 : alpha * probability * (logTaught - mixed);
                double slope = (alpha == 1 ? 1 : 1 - alpha) * (logLearned - mixed);
                divergence += other + learned[i] * slope;
                mean += learned[i] * slope;
                slopes[i] = learned[i] * slope;
            }
        }
        // The derivative by a logit is slope - learned * sum of slopes; that of KL(t || s) is s - t.
        double sum = alpha == 0 ? -1 : mean;
        for (int i = 0; i < columns; i++) {
            double hard = (temperature == 1 ? learned[i] : Math.exp(logits[first + i] - plain)) - (i == id ? 1 : 0);
            logits[first + i] = (float) (weight * ((1 - share) * hard
                    + share * temperature * (slopes[i] - learned[i] * sum)));
        }
        return new double[] {entropy, divergence};
    }

    /** The logarithm of the mixture; of what both think impossible the student's, which changes nothing. */
    private double mixed(double probability, double learned, double logLearned) {
        double sum = alpha * probability + (1 - alpha) * learned;
        return sum > 0 ? Math.log(sum) : logLearned;
    }

    /** {@code log(sum of exp(x / t))}. */
    private double logSum(float[] row, int first, double t) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = first; i < first + columns; i++) {
            max = Math.max(max, row[i]);
        }
        double sum = 0;
        for (int i = first; i < first + columns; i++) {
            sum += Math.exp((row[i] - max) / t);
        }
        return max / t + Math.log(sum);
    }
}
