package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sums of arrays of a few thousand elements, as a step of generation has them, in a plain loop by the caller: a dozen
 * calls of primitives on pieces of them cost ten times as much.
 */
final class FewElements {
    private static final int MOST = 1 << 11;

    private float[] left = new float[0];
    private float[] right = new float[0];

    /** Whether an array of this length is computed here. */
    static boolean takes(long length) {
        return length <= MOST;
    }

    /** {@code y = a + b}; y may be a or b. */
    void add(INDArray a, INDArray b, INDArray y) {
        int count = (int) y.length();
        if (left.length < count) {
            left = new float[count];
            right = new float[count];
        }
        Arrays.read(a, 0, left, 0, count);
        Arrays.read(b, 0, right, 0, count);
        for (int i = 0; i < count; i++) {
            left[i] += right[i];
        }
        Arrays.write(y, 0, left, 0, count);
    }
}
