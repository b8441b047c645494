package io.peft4j.train.objective;

import java.util.stream.IntStream;

/**
 * The loss of tokens by a teacher's logits and its derivatives, in double; rows on several threads.
 *
 * @param temperature what logits are divided by
 * @param share the teacher's share of the loss
 * @param columns the size of the vocabulary
 */
record DistilledToken(double temperature, double share, int columns) {
    /**
     * The losses of some tokens.
     *
     * @param logits the student's, one row a token; replaced by {@code weight / normalizer} times the derivatives of
     *     {@code (1 - share) CE + share T^2 KL}
     * @param taught the teacher's
     * @param ids the tokens that stand there
     * @param weights what each row counts
     * @return for each token its cross-entropy, and the divergence of both distributions at the temperature
     */
    double[][] rows(float[] logits, float[] taught, int[] ids, float[] weights, double normalizer) {
        double[][] losses = new double[logits.length / columns][];
        IntStream.range(0, losses.length).parallel()
                .forEach(i -> losses[i] = row(logits, taught, i * columns, ids[i], weights[i] / normalizer));
        return losses;
    }

    private double[] row(float[] logits, float[] taught, int first, int id, double weight) {
        double plain = logSum(logits, first, 1);
        double ours = temperature == 1 ? plain : logSum(logits, first, temperature);
        double theirs = logSum(taught, first, temperature);
        double divergence = 0;
        double entropy = plain - logits[first + id];
        for (int i = first; i < first + columns; i++) {
            double logTaught = taught[i] / temperature - theirs;
            double logLearned = logits[i] / temperature - ours;
            double probability = Math.exp(logTaught);
            double learned = Math.exp(logLearned);
            divergence += probability * (logTaught - logLearned);
            double ofToken = (temperature == 1 ? learned : Math.exp(logits[i] - plain)) - (i == first + id ? 1 : 0);
            logits[i] = (float) (weight * ((1 - share) * ofToken + share * temperature * (learned - probability)));
        }
        return new double[] {entropy, divergence};
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
