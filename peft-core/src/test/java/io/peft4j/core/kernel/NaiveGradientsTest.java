package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Optional;
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
    void activations() {
        for (Activation f : Activation.values()) {
            INDArray x = normal(3, 7);
            INDArray up = normal(3, 7);
            INDArray y = normal(3, 7);
            INDArray dy = normal(3, 7);
            INDArray dx = normal(3, 7);
            INDArray dUp = normal(3, 7);
            if (f == Activation.RELU) {
                awayFromZero(x);
            }
            kernels.activateBackward(f, dy, x, dx, false);
            check(f + "", x, dx, () -> kernels.activate(f, x, y), y, dy);
            kernels.gatedBackward(f, dy, x, up, dx, dUp);
            check(f + ", gate", x, dx, () -> kernels.gated(f, x, up, y), y, dy);
            check(f + ", up", up, dUp, () -> kernels.gated(f, x, up, y), y, dy);
        }
    }

    /** Where a function has a corner, differences across it are something else than its slope. */
    private static void awayFromZero(INDArray x) {
        float[] values = Arrays.toFloats(x);
        for (int i = 0; i < values.length; i++) {
            values[i] += Math.copySign(0.1f, values[i]);
        }
        Arrays.write(x, 0, values, 0, values.length);
    }

    @Test
    void softCap() {
        INDArray x = normal(3, 7);
        INDArray y = normal(3, 7);
        INDArray dy = normal(3, 7);
        INDArray dx = normal(3, 7);
        Runnable forward = () -> kernels.softCap(x, 1.3f, y);
        forward.run();
        kernels.softCapBackward(dy, y, 1.3f, dx);
        check("softCap", x, dx, forward, y, dy);
    }

    @Test
    void softmax() {
        INDArray x = normal(3, 5);
        INDArray y = normal(3, 5);
        INDArray dy = normal(3, 5);
        INDArray dx = normal(3, 5);
        Runnable forward = () -> kernels.softmax(x, y);
        forward.run();
        kernels.softmaxBackward(dy, y, dx, false);
        check("softmax", x, dx, forward, y, dy);
    }

    @Test
    void layerNorm() {
        INDArray x = normal(4, 9);
        INDArray weight = normal(9);
        INDArray bias = normal(9);
        INDArray y = normal(4, 9);
        INDArray mean = normal(4);
        INDArray rstd = normal(4);
        INDArray dy = normal(4, 9);
        INDArray dx = normal(4, 9);
        INDArray dw = Arrays.zeros(DataType.FLOAT, 9);
        INDArray db = Arrays.zeros(DataType.FLOAT, 9);
        Runnable forward = () -> kernels.layerNorm(x, weight, Optional.of(bias), 0.1f, y, mean, rstd);
        forward.run();
        kernels.layerNormBackward(dy, x, weight, mean, rstd, dx, false);
        kernels.layerNormWeightBackward(dy, x, mean, rstd, dw, Optional.of(db));
        check("layerNorm, x", x, dx, forward, y, dy);
        check("layerNorm, weight", weight, dw, forward, y, dy);
        check("layerNorm, bias", bias, db, forward, y, dy);
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
        AttentionContract.otherLayouts().forEach((name, layout) -> {
            if (layout.queryRows() <= 70) {
                checkAttention(name, layout, layout.keyRows());
            }
        });
    }

    @Test
    void attentionWithSoftCapSinksAndBias() {
        AttentionShape shape = new AttentionShape(4, 2, 3, 0.6f, 1.2f);
        AttentionExtras extras = new AttentionExtras(Optional.of(normal(4)), Optional.of(normal(4, 7)));
        for (AttentionLayout layout : List.of(AttentionLayout.packed(5, 9).windowed(4),
                AttentionLayout.bidirectional(3, 8))) {
            checkAttention("capped", layout, layout.keyRows(), shape, extras);
        }
    }

    private void checkAttention(String name, AttentionLayout layout, int keyRows) {
        checkAttention(name, layout, keyRows, new AttentionShape(4, 2, 3, 0.6f), AttentionExtras.NONE);
    }

    private void checkAttention(String name, AttentionLayout layout, int keyRows, AttentionShape shape,
            AttentionExtras extras) {
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
        Runnable forward = () -> kernels.attention(q, k, v, layout, shape, extras, out, lse);
        forward.run();
        kernels.attentionBackward(dOut, q, k, v, out, lse, layout, shape, extras, dq, dk, dv);
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

    @Test
    void convolution() {
        RowOrder order = RowOrder.of(AttentionLayout.packed(4, 1, 3));
        INDArray x = normal(8, 3);
        INDArray weight = normal(3, 3);
        INDArray y = normal(8, 3);
        INDArray dy = normal(8, 3);
        INDArray dx = normal(8, 3);
        kernels.convolutionBackward(dy, weight, order, dx, false);
        check("convolution", x, dx, () -> kernels.convolution(x, weight, Optional.empty(), order, PieceStates.NONE, y),
                y, dy);
    }

    @Test
    void scan() {
        RowOrder order = RowOrder.of(AttentionLayout.packed(4, 1, 3));
        ScanShape shape = new ScanShape(1, 2, 3, 2);
        for (boolean delta : new boolean[] {false, true}) {
            ScanInputs in = scanInputs(shape, delta);
            ScanInputs gradients = scanInputs(shape, delta);
            INDArray y = normal(8, 4);
            INDArray dy = normal(8, 4);
            kernels.scanBackward(dy, shape, in, order, gradients);
            Runnable forward = () -> kernels.scan(shape, in, order, PieceStates.NONE, y);
            check("queries", in.queries(), gradients.queries(), forward, y, dy);
            check("keys", in.keys(), gradients.keys(), forward, y, dy);
            check("values", in.values(), gradients.values(), forward, y, dy);
            check("decay", in.decay(), gradients.decay(), forward, y, dy);
            in.rate().ifPresent(rate -> check("rate", rate, gradients.rate().orElseThrow(), forward, y, dy));
        }
    }

    private ScanInputs scanInputs(ScanShape shape, boolean delta) {
        INDArray decay = normal(8, shape.valueHeads());
        decay.muli(0.2).subi(0.5);
        INDArray keys = normal(8, shape.keyColumns());
        keys.muli(0.5);
        return new ScanInputs(normal(8, shape.keyColumns()), keys, normal(8, shape.valueColumns()), decay,
                delta ? Optional.of(normal(8, shape.valueHeads())) : Optional.empty());
    }
}
