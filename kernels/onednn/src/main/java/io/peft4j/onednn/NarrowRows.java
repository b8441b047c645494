package io.peft4j.onednn;

/** The loss over rows of few logits, in plain loops with sums in double: oneDNN has nothing fast for the narrowest. */
final class NarrowRows {
    private static final int NARROW = 32;

    private NarrowRows() {
    }

    /** Whether rows of this width are computed here. */
    static boolean areNarrow(int width) {
        return width < NARROW;
    }

    /** The log of the sum of exponentials of a row. */
    static double logSumExp(float[] x, int from, int width) {
        double largest = max(x, from, width);
        double sum = 0;
        for (int j = 0; j < width; j++) {
            sum += Math.exp(x[from + j] - largest);
        }
        return largest + Math.log(sum);
    }

    /** The largest of a row. */
    static float max(float[] x, int from, int width) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < width; j++) {
            largest = Math.max(largest, x[from + j]);
        }
        return largest;
    }

    /** Writes {@code weight * (softmax(x) - onehot(target))} over a row. */
    static void crossEntropyBackward(float[] x, int from, int width, int target, float weight) {
        double sum = logSumExp(x, from, width);
        for (int j = 0; j < width; j++) {
            x[from + j] = (float) (weight * (Math.exp(x[from + j] - sum) - (j == target ? 1 : 0)));
        }
    }
}
