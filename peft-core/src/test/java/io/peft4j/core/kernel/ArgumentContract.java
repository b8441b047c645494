package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Arguments that do not fit are refused before any memory is touched. */
interface ArgumentContract extends KernelsUnderTest {
    private void refused(String operation, Consumer<Kernels> call) {
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> call.accept(kernels()));
        assertTrue(error.getMessage().startsWith(operation), error.getMessage());
    }

    @Test
    default void matricesThatDoNotFit() {
        try (KernelCase c = new KernelCase(this, "bad matrices")) {
            FrozenWeight w = c.dense(DataType.FLOAT, 4, 3);
            INDArray x = c.normal(DataType.FLOAT, 5, 3);
            INDArray y = c.normal(DataType.FLOAT, 5, 4);
            INDArray flat = c.normal(DataType.FLOAT, 20);
            refused("linear", k -> k.linear(y, w, y, false));
            refused("linear", k -> k.linear(x, w, x, false));
            refused("linear", k -> k.linear(x, w, flat, false));
            refused("linearBackward", k -> k.linearBackward(x, w, x, false));
            refused("linearBackward", k -> k.linearBackward(y, w, y, false));
            refused("matmul", k -> k.matmul(x, false, y, false, y, 1, false));
            refused("matmul", k -> k.matmul(x, true, y, false, y, 1, false));
            INDArray square = c.normal(DataType.FLOAT, 4, 4);
            refused("matmul", k -> k.matmul(square, false, square, false, square, 1, false));
            refused("lowRank", k -> k.lowRank(x, x, y, 1, y, y));
            refused("lowRankBackward", k -> k.lowRankBackward(y, x, x, y, 1, y, y, x, false, x, y));
            refused("lowRankByRows", k -> k.lowRankByRows(x, List.of(new LowRankPart(0, 99, x, x, 1, x)), y));
            refused("lowRankByRowsBackward", k -> k.lowRankByRowsBackward(y, x, List.of(), List.of(), y));
            INDArray h = c.normal(DataType.FLOAT, 5, 2);
            INDArray a = c.normal(DataType.FLOAT, 2, 3);
            INDArray b = c.normal(DataType.FLOAT, 4, 2);
            refused("linear", k -> k.linearWithLowRank(y, w, a, b, 1, h, y));
            refused("lowRank", k -> k.linearWithLowRank(x, w, a, a, 1, h, y));
            refused("linearBackward", k -> k.linearWithLowRankBackward(x, w, x, a, b, 1, h, h, x, false, a, b));
            refused("lowRankBackward", k -> k.linearWithLowRankBackward(y, w, x, a, b, 1, h, h,
                    c.normal(DataType.FLOAT, 5, 3), false, c.normal(DataType.FLOAT, 2, 3), b));
            refused("addBias", k -> k.addBias(y, c.normal(DataType.FLOAT, 5)));
            refused("addBiasBackward", k -> k.addBiasBackward(y, c.normal(DataType.FLOAT, 5), false));
            refused("scaleColumns", k -> k.scaleColumns(x, c.normal(DataType.FLOAT, 5), x, false));
            refused("scaleRows", k -> k.scaleRows(x, c.normal(DataType.FLOAT, 5), y, false));
            refused("columnDots", k -> k.columnDots(x, y, c.normal(DataType.FLOAT, 4), false));
            refused("rowDots", k -> k.rowDots(x, x, c.normal(DataType.FLOAT, 3), false));
        }
    }

    @Test
    default void arraysOfOtherLayoutsOrTypes() {
        try (KernelCase c = new KernelCase(this, "bad layouts")) {
            INDArray wide = c.normal(DataType.FLOAT, 5, 6);
            INDArray x = c.normal(DataType.FLOAT, 5, 3);
            INDArray columns = wide.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 3));
            refused("scale", k -> k.scale(columns, 1, x, false));
            refused("scale", k -> k.scale(x, 1, columns, false));
            try (INDArray fOrder = Nd4j.createUninitializedDetached(DataType.FLOAT, 'f', 5, 3);
                    INDArray doubles = Nd4j.createUninitializedDetached(DataType.DOUBLE, 5, 3)) {
                refused("add", k -> k.add(x, fOrder, x));
                refused("multiply", k -> k.multiply(x, doubles, x, false));
                refused("sumOfSquares", k -> k.sumOfSquares(doubles));
            }
        }
    }

    @Test
    default void indicesOutOfRange() {
        try (KernelCase c = new KernelCase(this, "bad indices")) {
            FrozenWeight table = c.dense(DataType.FLOAT, 4, 3);
            INDArray x = c.normal(DataType.FLOAT, 4, 3);
            INDArray y = c.normal(DataType.FLOAT, 2, 3);
            refused("gather", k -> k.gather(table, new int[] {0, 4}, y));
            refused("gather", k -> k.gather(table, new int[] {-1, 0}, y));
            refused("gatherRows", k -> k.gatherRows(x, new int[] {0, 4}, y));
            refused("gatherRows", k -> k.gatherRows(x, new int[] {0, 1, 2}, y));
            refused("gatherRowsBackward", k -> k.gatherRowsBackward(y, new int[] {0, 4}, x));
            refused("crossEntropy", k -> k.crossEntropy(y, new int[] {0, 3}, new float[2]));
            refused("crossEntropy", k -> k.crossEntropy(y, new int[] {0, 1}, new float[1]));
            refused("crossEntropy", k -> k.crossEntropyBackward(y, new int[] {0}, new float[1]));
            refused("copyColumns", k -> k.copyColumns(x, 2, table4(c), 0, 2, false));
            refused("copyColumns", k -> k.copyColumns(x, 0, table4(c), 4, 2, false));
            refused("copyColumns", k -> k.copyColumns(x, -1, table4(c), 0, 2, false));
            refused("copyColumns", k -> k.copyColumns(y, 0, x, 0, 1, false));
            refused("softmax", k -> k.softmax(x, y));
            refused("softmaxBackward", k -> k.softmaxBackward(y, x, x, false));
            RotaryTable rotary = new RotaryTable(new float[] {1}, 10, 1);
            INDArray heads = c.normal(DataType.FLOAT, 2, 4);
            refused("rotary", k -> k.rotary(heads, 2, rotary, new int[] {0, 10}, false));
            refused("rotary", k -> k.rotary(heads, 3, rotary, new int[] {0, 1}, false));
            refused("rotary", k -> k.rotary(heads, 1, rotary, new int[] {0, 1}, false));
        }
    }

    private static INDArray table4(KernelCase c) {
        return c.normal(DataType.FLOAT, 4, 5);
    }

    @Test
    default void elementwiseArgumentsThatDoNotFit() {
        try (KernelCase c = new KernelCase(this, "bad elementwise")) {
            INDArray a = c.normal(DataType.FLOAT, 5, 3);
            INDArray b = c.normal(DataType.FLOAT, 4, 3);
            INDArray part = a.get(NDArrayIndex.interval(0, 4), NDArrayIndex.all());
            INDArray shifted = a.get(NDArrayIndex.interval(1, 5), NDArrayIndex.all());
            refused("add", k -> k.add(a, b, a));
            refused("add", k -> k.add(a, a, b));
            refused("add", k -> k.add(b, part, shifted));
            refused("multiply", k -> k.multiply(a, b, a, false));
            refused("gated", k -> k.gated(Activation.SILU, a, b, a));
            refused("gatedBackward", k -> k.gatedBackward(Activation.SILU, b, part, b, b, b));
            refused("gated", k -> k.gated(Activation.GELU, b, b, b));
            refused("activate", k -> k.activate(Activation.GELU, a, b));
            refused("activate", k -> k.activate(Activation.GELU, part, shifted));
            refused("activateBackward", k -> k.activateBackward(Activation.TANH, a, a, b, false));
            refused("activateBackward", k -> k.activateBackward(Activation.TANH, a, a, a, false));
            refused("softCap", k -> k.softCap(a, 0, a));
            refused("softCap", k -> k.softCap(a, 1, b));
            refused("softCapBackward", k -> k.softCapBackward(a, b, 1, a));
            refused("softCapBackward", k -> k.softCapBackward(a, a, 1, a));
            INDArray other = c.normal(DataType.FLOAT, 5, 3);
            refused("clampedGate", k -> k.clampedGate(a, a, 1, 1, b));
            refused("clampedGate", k -> k.clampedGate(a, a, 1, -1, other));
            refused("clampedGateBackward", k -> k.clampedGateBackward(a, a, b, 1, 1, a, b));
            refused("dropout", k -> k.dropout(a, 0.5f, 1, b, false));
            refused("dropout", k -> k.dropout(a, 1f, 1, a, false));
            refused("dropout", k -> k.dropout(a, -0.1f, 1, a, false));
            refused("dropout", k -> k.dropout(a, Float.NaN, 1, a, false));
            refused("dropout", k -> k.dropout(a, 0.5f, 1, a, true));
        }
    }

    @Test
    default void normAndUpdateArgumentsThatDoNotFit() {
        try (KernelCase c = new KernelCase(this, "bad norm")) {
            INDArray x = c.normal(DataType.FLOAT, 5, 3);
            INDArray y = c.normal(DataType.FLOAT, 5, 3);
            INDArray weight = c.normal(DataType.FLOAT, 3);
            INDArray rstd = c.normal(DataType.FLOAT, 5);
            refused("rmsNorm", k -> k.rmsNorm(x, rstd, 1e-5f, y, rstd));
            refused("rmsNorm", k -> k.rmsNorm(x, weight, 1e-5f, y, weight));
            refused("rmsNormBackward", k -> k.rmsNormBackward(y, x, weight, weight, x, false));
            refused("rmsNormWeightBackward", k -> k.rmsNormWeightBackward(y, x, rstd, rstd));
            INDArray narrow = c.normal(DataType.BFLOAT16, 3);
            Optional<INDArray> none = Optional.empty();
            refused("layerNorm", k -> k.layerNorm(x, rstd, none, 1e-5f, y, rstd, rstd));
            refused("layerNorm", k -> k.layerNorm(x, weight, Optional.of(rstd), 1e-5f, y, rstd, rstd));
            refused("layerNorm", k -> k.layerNorm(x, weight, none, 1e-5f, y, rstd, rstd));
            refused("layerNorm", k -> k.layerNorm(x, narrow, none, 1e-5f, y, rstd, c.normal(DataType.FLOAT, 5)));
            refused("layerNormBackward", k -> k.layerNormBackward(y, x, weight, rstd, weight, x, false));
            refused("layerNormWeightBackward", k -> k.layerNormWeightBackward(y, x, rstd, rstd, rstd, none));
            refused("layerNormWeightBackward",
                    k -> k.layerNormWeightBackward(y, x, rstd, rstd, weight, Optional.of(weight)));
            refused("rmsNorm", k -> k.rmsNorm(x, narrow, 1e-5f, y, rstd));
            AdamWStep step = new AdamWStep(1, 1e-3, 0.9, 0.999, 1e-8, 0, 1);
            INDArray other = c.normal(DataType.FLOAT, 3);
            refused("adamW", k -> k.adamW(weight, narrow, other, other, step));
            refused("adamW", k -> k.adamW(weight, rstd, other, other, step));
            refused("adamW", k -> k.adamW(weight, other, weight, other, new AdamWStep(0, 1, 0, 0, 1, 0, 1)));
        }
    }

    @Test
    default void attentionArgumentsThatDoNotFit() {
        try (KernelCase c = new KernelCase(this, "bad attention")) {
            AttentionShape shape = new AttentionShape(2, 1, 4, 0.5f);
            AttentionLayout layout = AttentionLayout.packed(3, 2);
            INDArray q = c.normal(DataType.FLOAT, 5, 8);
            INDArray k = c.normal(DataType.FLOAT, 5, 4);
            INDArray out = c.normal(DataType.FLOAT, 5, 8);
            INDArray lse = c.normal(DataType.FLOAT, 5, 2);
            INDArray few = c.normal(DataType.FLOAT, 4, 4);
            refused("attention", t -> t.attention(q, few, few, layout, shape, out, lse));
            refused("attention", t -> t.attention(q, k, few, layout, shape, out, lse));
            refused("attention", t -> t.attention(q, k, k, AttentionLayout.packed(3), shape, out, lse));
            refused("attention", t -> t.attention(q, k, k, layout, new AttentionShape(2, 2, 4, 1), out, lse));
            refused("attention", t -> t.attention(q, k, k, layout, shape, out, k));
            refused("attention", t -> t.attention(q, k, k, layout, shape, q, lse));
            INDArray even = c.normal(DataType.FLOAT, 2, 4);
            refused("attention", t -> t.attention(q, k, k, layout, shape, AttentionExtras.sinks(k), out, lse));
            refused("attention", t -> t.attention(q, k, k, layout, shape, AttentionExtras.bias(even), out, lse));
            INDArray odd = c.normal(DataType.FLOAT, 2, 5);
            AttentionLayout cross = AttentionLayout.cross(new int[] {5}, new int[] {4});
            refused("attention", t -> t.attention(q, k, k, cross, shape, AttentionExtras.bias(odd), out, lse));
            INDArray dk = c.normal(DataType.FLOAT, 5, 4);
            refused("attentionBackward", t -> t.attentionBackward(out, q, k, k, out, lse, layout, shape, q, dk, dk));
        }
    }
}
