package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradients of the naive kernels against central differences of their forward operations. */
class NaiveGradientsTest {
    /** The error of the differences themselves, see {@link GradientCheck}. */
    private static final double TOLERANCE = 1e-3;

    private final NaiveKernels kernels = new NaiveKernels();
    private final Random random = new Random(11);

    private INDArray normal(long... shape) {
        INDArray array = Arrays.zeros(DataType.FLOAT, shape);
        KernelCase.fill(array, random, 1);
        return array;
    }

    /** Checks {@code gradient}, which has been computed for {@code sum(dy * y)}, by running {@code forward} into y. */
    private void check(String what, INDArray x, INDArray gradient, Runnable forward, INDArray y, INDArray dy) {
        float[] weights = Arrays.toFloats(dy);
        GradientCheck.check(what, x, Arrays.toFloats(gradient), () -> {
            forward.run();
            return GradientCheck.project(y, weights);
        }, TOLERANCE);
    }

    @Test
    void linear() {
        FrozenWeight w = new DenseWeight(normal(7, 5));
        INDArray x = normal(3, 5);
        INDArray y = normal(3, 7);
        INDArray dy = normal(3, 7);
        INDArray dx = normal(3, 5);
        kernels.linearBackward(dy, w, dx, false);
        check("linear", x, dx, () -> kernels.linear(x, w, y, false), y, dy);
    }

    @Test
    void bias() {
        INDArray x = normal(5, 3);
        INDArray bias = normal(3);
        INDArray y = normal(5, 3);
        INDArray dy = normal(5, 3);
        INDArray db = normal(3);
        kernels.addBiasBackward(dy, db, false);
        check("bias", bias, db, () -> {
            kernels.scale(x, 1, y, false);
            kernels.addBias(y, bias);
        }, y, dy);
    }

    @Test
    void gatherRows() {
        int[] rows = {2, 0, 2, 2};
        INDArray x = normal(3, 4);
        INDArray y = normal(4, 4);
        INDArray dy = normal(4, 4);
        INDArray dx = Arrays.zeros(DataType.FLOAT, 3, 4);
        kernels.gatherRowsBackward(dy, rows, dx);
        check("gatherRows", x, dx, () -> kernels.gatherRows(x, rows, y), y, dy);
    }

    @Test
    void siluMultiply() {
        INDArray gate = normal(3, 7);
        INDArray up = normal(3, 7);
        INDArray y = normal(3, 7);
        INDArray dy = normal(3, 7);
        INDArray dGate = normal(3, 7);
        INDArray dUp = normal(3, 7);
        kernels.gatedBackward(Activation.SILU, dy, gate, up, dGate, dUp);
        Runnable forward = () -> kernels.gated(Activation.SILU, gate, up, y);
        check("siluMultiply, gate", gate, dGate, forward, y, dy);
        check("siluMultiply, up", up, dUp, forward, y, dy);
    }

    @Test
    void dropout() {
        INDArray x = normal(40);
        INDArray y = normal(40);
        INDArray dy = normal(40);
        INDArray dx = normal(40);
        kernels.dropout(dy, 0.4f, 3, dx, false);
        check("dropout", x, dx, () -> kernels.dropout(x, 0.4f, 3, y, false), y, dy);
    }

    @Test
    void rmsNorm() {
        INDArray x = normal(4, 9);
        INDArray weight = normal(9);
        INDArray y = normal(4, 9);
        INDArray rstd = normal(4);
        INDArray dy = normal(4, 9);
        INDArray dx = normal(4, 9);
        INDArray dw = Arrays.zeros(DataType.FLOAT, 9);
        Runnable forward = () -> kernels.rmsNorm(x, weight, 0.1f, y, rstd);
        forward.run();
        kernels.rmsNormBackward(dy, x, weight, rstd, dx, false);
        kernels.rmsNormWeightBackward(dy, x, rstd, dw);
        check("rmsNorm, x", x, dx, forward, y, dy);
        check("rmsNorm, weight", weight, dw, forward, y, dy);
    }

    @Test
    void rotary() {
        RotaryTable table = new RotaryTable(new float[] {1, 0.3f}, 9, 1.3f);
        int[] positions = {0, 8, 3};
        INDArray x = normal(3, 10);
        INDArray y = normal(3, 10);
        INDArray dy = normal(3, 10);
        INDArray dx = normal(3, 10);
        kernels.scale(dy, 1, dx, false);
        kernels.rotary(dx, 5, table, positions, true);
        check("rotary", x, dx, () -> {
            kernels.scale(x, 1, y, false);
            kernels.rotary(y, 5, table, positions, false);
        }, y, dy);
    }

    @Test
    void attention() {
        AttentionContract.trainingLayouts().forEach((name, layout) -> {
            if (layout.queryRows() <= 60) {
                checkAttention(name, layout, layout.queryRows());
            }
        });
        AttentionContract.cachedLayouts().forEach((name, layout) -> checkAttention(name, layout, layout.keyRows() + 2));
    }

    private void checkAttention(String name, AttentionLayout layout, int keyRows) {
        AttentionShape shape = new AttentionShape(4, 2, 3, 0.6f);
        int n = layout.queryRows();
        INDArray q = normal(n, 12);
        INDArray k = normal(keyRows, 6);
        INDArray v = normal(keyRows, 6);
        INDArray out = normal(n, 12);
        INDArray lse = normal(n, 4);
        INDArray dOut = normal(n, 12);
        INDArray dq = normal(n, 12);
        INDArray dk = normal(keyRows, 6);
        INDArray dv = normal(keyRows, 6);
        Runnable forward = () -> kernels.attention(q, k, v, layout, shape, out, lse);
        forward.run();
        kernels.attentionBackward(dOut, q, k, v, out, lse, layout, shape, dq, dk, dv);
        check(name + ", q", q, dq, forward, out, dOut);
        check(name + ", k", k, dk, forward, out, dOut);
        check(name + ", v", v, dv, forward, out, dOut);
    }

    @Test
    void crossEntropy() {
        int[] targets = {4, 0, 2};
        float[] weights = {1, -0.5f, 3};
        INDArray logits = normal(3, 5);
        INDArray gradient = normal(3, 5);
        kernels.scale(logits, 1, gradient, false);
        kernels.crossEntropyBackward(gradient, targets, weights);
        GradientCheck.check("crossEntropy", logits, Arrays.toFloats(gradient), () -> {
            float[] nll = new float[3];
            kernels.crossEntropy(logits, targets, nll);
            return nll[0] * (double) weights[0] + nll[1] * (double) weights[1] + nll[2] * (double) weights[2];
        }, TOLERANCE);
    }
}
