package io.peft4j.onednn;

/**
 * Operations on rows of few elements, in plain loops with sums in double. oneDNN has nothing fast for the narrowest,
 * and the differences in which gradients of narrow rows vanish want more digits.
 */
final class NarrowRows {
    private static final int NARROW = 32;

    private NarrowRows() {
    }

    /** Whether rows of this width are computed here. */
    static boolean areNarrow(int width) {
        return width < NARROW;
    }

    /** Writes the normalized rows over x, and their factors to {@code rstd}. */
    static void rmsNorm(float[] x, float[] weight, float epsilon, float[] rstd) {
        int width = weight.length;
        for (int i = 0; i < rstd.length; i++) {
            double squares = 0;
            for (int j = 0; j < width; j++) {
                squares += (double) x[i * width + j] * x[i * width + j];
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            rstd[i] = (float) factor;
            for (int j = 0; j < width; j++) {
                x[i * width + j] = (float) (x[i * width + j] * factor * weight[j]);
            }
        }
    }

    /** With {@code n = x * rstd}, writes {@code rstd * (dy * w - n * mean(dy * w * n))} over dy. */
    static void rmsNormBackward(float[] dy, float[] x, float[] weight, float[] rstd) {
        int width = weight.length;
        for (int i = 0; i < rstd.length; i++) {
            double factor = rstd[i];
            double mean = 0;
            for (int j = 0; j < width; j++) {
                mean += (double) dy[i * width + j] * weight[j] * x[i * width + j] * factor / width;
            }
            for (int j = 0; j < width; j++) {
                int at = i * width + j;
                dy[at] = (float) (factor * ((double) dy[at] * weight[j] - x[at] * factor * mean));
            }
        }
    }

    /** The log of the sum of exponentials of a row. */
    static double logSumExp(float[] x, int from, int width) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < width; j++) {
            largest = Math.max(largest, x[from + j]);
        }
        double sum = 0;
        for (int j = 0; j < width; j++) {
            sum += Math.exp(x[from + j] - largest);
        }
        return largest + Math.log(sum);
    }

    /** Writes {@code weight * (softmax(x) - onehot(target))} over a row. */
    static void crossEntropyBackward(float[] x, int from, int width, int target, float weight) {
        double sum = logSumExp(x, from, width);
        for (int j = 0; j < width; j++) {
            x[from + j] = (float) (weight * (Math.exp(x[from + j] - sum) - (j == target ? 1 : 0)));
        }
    }
}
