package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The judge itself: results against numbers computed by hand. Its gradients: {@link NaiveGradientsTest}. */
class NaiveKernelsTest {
    private final NaiveKernels kernels = new NaiveKernels();

    private static INDArray matrix(int rows, float... values) {
        return Arrays.of(values, rows, values.length / rows);
    }

    private static INDArray vector(float... values) {
        return Arrays.of(values, values.length);
    }

    private static INDArray empty(int rows, int columns) {
        return Arrays.zeros(DataType.FLOAT, rows, columns);
    }

    private static void assertValues(INDArray actual, float... expected) {
        // One rounding to f32 of numbers below 100.
        assertArrayEquals(expected, Arrays.toFloats(actual), 1e-5f);
    }

    @Test
    void linearMultipliesByTheTranspose() {
        FrozenWeight w = new DenseWeight(matrix(2, 1, 2, 3, 4, 5, 6));
        INDArray x = matrix(2, 1, 0, -1, 2, 1, 0);
        INDArray y = empty(2, 2);
        kernels.linear(x, w, y, false);
        assertValues(y, -2, -2, 4, 13);
        kernels.linear(x, w, y, true);
        assertValues(y, -4, -4, 8, 26);
        kernels.linearBackward(y, w, x, false);
        assertValues(x, -20, -28, -36, 112, 146, 180);
    }

    @Test
    void matmulTransposes() {
        INDArray a = matrix(2, 1, 2, 3, 4);
        INDArray b = matrix(2, 5, 6, 7, 8);
        INDArray c = empty(2, 2);
        kernels.matmul(a, false, b, false, c, 1, false);
        assertValues(c, 19, 22, 43, 50);
        kernels.matmul(a, false, b, true, c, 1, false);
        assertValues(c, 17, 23, 39, 53);
        kernels.matmul(a, true, b, false, c, 1, false);
        assertValues(c, 26, 30, 38, 44);
        kernels.matmul(a, true, b, true, c, -1, true);
        assertValues(c, 26 - 23, 30 - 31, 38 - 34, 44 - 46);
    }

    @Test
    void rowsAndBiases() {
        INDArray y = matrix(3, 1, 2, 3, 4, 5, 6);
        INDArray bias = vector(10, 20);
        kernels.addBias(y, bias);
        assertValues(y, 11, 22, 13, 24, 15, 26);
        kernels.addBiasBackward(y, bias, false);
        assertValues(bias, 39, 72);
        INDArray chosen = empty(2, 2);
        kernels.gatherRows(y, new int[] {2, 2}, chosen);
        assertValues(chosen, 15, 26, 15, 26);
        kernels.gatherRowsBackward(chosen, new int[] {0, 0}, y);
        assertValues(y, 41, 74, 13, 24, 15, 26);
        kernels.gather(new DenseWeight(y), new int[] {1, 0}, chosen);
        assertValues(chosen, 13, 24, 41, 74);
    }

    @Test
    void elementwise() {
        INDArray a = vector(1, -2, 0.5f);
        INDArray b = vector(3, 4, 8);
        INDArray y = vector(0, 0, 0);
        kernels.add(a, b, y);
        assertValues(y, 4, 2, 8.5f);
        kernels.multiply(a, b, y, true);
        assertValues(y, 7, -6, 12.5f);
        kernels.scale(a, 2, y, false);
        assertValues(y, 2, -4, 1);
        // 1 / (1 + e^-1) = 0.7310586, 1 / (1 + e^2) = 0.1192029, 1 / (1 + e^-0.5) = 0.6224593
        kernels.gated(Activation.SILU, a, b, y);
        assertValues(y, 0.7310586f * 3, -2 * 0.1192029f * 4, 0.5f * 0.6224593f * 8);
        assertEquals(1 + 4 + 0.25, kernels.sumOfSquares(a));
    }

    @Test
    void dropoutKeepsTheExpectation() {
        int n = 100_000;
        INDArray x = Arrays.zeros(DataType.FLOAT, n);
        x.assign(1);
        INDArray y = Arrays.zeros(DataType.FLOAT, n);
        kernels.dropout(x, 0.3f, 5, y, false);
        int kept = 0;
        for (float value : Arrays.toFloats(y)) {
            kept += value != 0 ? 1 : 0;
            assertEquals(value == 0 ? 0 : 1 / 0.7f, value, 1e-6f);
        }
        // The deviation of the kept share is sqrt(0.3 * 0.7 / n) = 0.0015; four of them.
        assertEquals(0.7, (double) kept / n, 0.006);
        kernels.dropout(x, 0, 5, y, false);
        assertArrayEquals(Arrays.toFloats(x), Arrays.toFloats(y));
    }

    @Test
    void rmsNorm() {
        INDArray x = matrix(2, 3, 4, 0, 0);
        INDArray y = empty(2, 2);
        INDArray rstd = vector(0, 0);
        kernels.rmsNorm(x, vector(1, 2), 0.25f, y, rstd);
        double r = 1 / Math.sqrt(12.5 + 0.25);
        assertValues(rstd, (float) r, 2);
        assertValues(y, (float) (3 * r), (float) (8 * r), 0, 0);
    }

    @Test
    void rotaryTurnsPairs() {
        float quarter = (float) (Math.PI / 2);
        RotaryTable table = new RotaryTable(new float[] {quarter, 0}, 3, 1);
        INDArray x = matrix(2, 1, 2, 3, 4, 1, 2, 3, 4);
        kernels.rotary(x, 4, table, new int[] {1, 2}, false);
        assertValues(x, -3, 2, 1, 4, -1, 2, -3, 4);
        kernels.rotary(x, 4, table, new int[] {1, 2}, true);
        assertValues(x, 1, 2, 3, 4, 1, 2, 3, 4);
        RotaryTable partial = new RotaryTable(new float[] {quarter}, 2, 1);
        kernels.rotary(x, 4, partial, new int[] {1, 0}, false);
        assertValues(x, -2, 1, 3, 4, 1, 2, 3, 4);
    }

    @Test
    void attentionSeesContextAndItsOwnPast() {
        // Keys of 0 give equal weights, so a result is the mean of the visible values: 1, 2, 4, 8, 16, ...
        INDArray q = empty(5, 2);
        INDArray k = empty(5, 1);
        INDArray v = matrix(5, 1, 2, 4, 8, 16);
        AttentionLayout layout = new AttentionLayout(List.of(
                new AttentionLayout.Segment(0, 2, List.of(), 0, 0),
                new AttentionLayout.Segment(2, 4, List.of(new AttentionLayout.Range(0, 2)), 2, 0),
                new AttentionLayout.Segment(4, 5, List.of(new AttentionLayout.Range(0, 1)), 4, 0)));
        INDArray out = empty(5, 2);
        INDArray lse = empty(5, 2);
        kernels.attention(q, k, v, layout, new AttentionShape(2, 1, 1, 1), out, lse);
        assertValues(out, 1, 1, 1.5f, 1.5f, 7 / 3f, 7 / 3f, 15 / 4f, 15 / 4f, 17 / 2f, 17 / 2f);
        float log2 = (float) Math.log(2);
        float log3 = (float) Math.log(3);
        assertValues(lse, 0, 0, log2, log2, log3, log3, 2 * log2, 2 * log2, log2, log2);
    }

    @Test
    void attentionReadsACache() {
        INDArray v = matrix(6, 1, 2, 4, 8, 16, 32);
        AttentionLayout layout = new AttentionLayout(List.of(
                new AttentionLayout.Segment(0, 2, List.of(), 1, 2),
                new AttentionLayout.Segment(2, 3, List.of(), 0, 0)));
        INDArray out = empty(3, 1);
        INDArray lse = empty(3, 1);
        kernels.attention(empty(3, 1), empty(6, 1), v, layout, new AttentionShape(1, 1, 1, 1), out, lse);
        assertValues(out, 14 / 3f, 30 / 4f, 1);
    }

    @Test
    void attentionWeighsByScores() {
        // One query 1, keys 0 and ln 3, scale 2: weights 1 and 9 tenths.
        INDArray k = matrix(2, 0, (float) Math.log(3));
        INDArray out = empty(2, 1);
        INDArray lse = empty(2, 1);
        AttentionShape shape = new AttentionShape(1, 1, 1, 2);
        kernels.attention(matrix(2, 1, 1), k, matrix(2, 10, 20), AttentionLayout.packed(2), shape, out, lse);
        assertValues(out, 10, 19);
        assertValues(lse, 0, (float) Math.log(10));
    }

    @Test
    void crossEntropy() {
        float log2 = (float) Math.log(2);
        INDArray logits = matrix(2, 0, log2, log2 * 2, 1000, 1000, 1000);
        float[] nll = new float[2];
        kernels.crossEntropy(logits, new int[] {2, 0}, nll);
        assertArrayEquals(new float[] {(float) Math.log(7 / 4.0), (float) Math.log(3)}, nll, 1e-5f);
        kernels.crossEntropyBackward(logits, new int[] {2, 0}, new float[] {7, 3});
        assertValues(logits, 1, 2, -3, -2, 1, 1);
    }
}
