package io.peft4j.eval.metric;

/**
 * How well probabilities say what share of answers is right (Naeini et al. 2015, Guo et al. 2017).
 */
public final class CalibrationError {
    private CalibrationError() {
    }

    /**
     * The expected calibration error with bins of equal width {@code ((k-1)/K, k/K]}, 0 falling in the first:
     * {@code ECE = sum over bins of n_k / n |share right - mean confidence|}.
     *
     * @param confidence the probability that each answer was given with, from 0 to 1
     * @param correct whether it was right
     * @param bins K, at least 1; 15 is usual
     * @return from 0 to 1
     * @throws IllegalArgumentException when the lengths differ, nothing is given, or a probability is out of range
     */
    public static double expectedError(double[] confidence, boolean[] correct, int bins) {
        if (confidence.length != correct.length || confidence.length == 0 || bins < 1) {
            throw new IllegalArgumentException("calibration needs a probability for each answer and a bin; got "
                    + confidence.length + " probabilities, " + correct.length + " answers, " + bins + " bins");
        }
        double[] sums = new double[bins];
        int[] counts = new int[bins];
        int[] right = new int[bins];
        for (int i = 0; i < confidence.length; i++) {
            if (!(confidence[i] >= 0 && confidence[i] <= 1)) {
                throw new IllegalArgumentException("answer " + i + " has the probability " + confidence[i]);
            }
            int bin = Math.max(0, (int) Math.ceil(confidence[i] * bins) - 1);
            sums[bin] += confidence[i];
            counts[bin]++;
            right[bin] += correct[i] ? 1 : 0;
        }
        double error = 0;
        for (int k = 0; k < bins; k++) {
            error += Math.abs(right[k] - sums[k]) / confidence.length;
        }
        return error;
    }
}
