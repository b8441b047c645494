package io.peft4j.core.kernel;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** RMS norm and layer norm. */
interface NormContract extends KernelsUnderTest {
    /** N, H. */
    int[][] NORM_SHAPES = {{1, 1}, {1, 576}, {3, 5}, {67, 576}, {131, 17}, {5, 2053}};

    @Test
    default void rmsNorm() {
        for (int[] s : NORM_SHAPES) {
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    for (double deviation : new double[] {1, 1e-3, 100}) {
                        checkNorm(s, xType, yType, deviation);
                    }
                }
            }
        }
    }

    private void checkNorm(int[] s, DataType xType, DataType yType, double deviation) {
        try (KernelCase c = new KernelCase(this, "norm", s[0], s[1], xType, yType, deviation)) {
            INDArray x = c.scaled(xType, deviation, s[0], s[1]);
            INDArray weight = c.normal(DataType.FLOAT, s[1]);
            INDArray y = c.normal(yType, s[0], s[1]);
            INDArray rstd = c.normal(DataType.FLOAT, s[0]);
            c.compare(k -> k.rmsNorm(x, weight, 1e-5f, y, rstd), y, rstd);
            kernels().rmsNorm(x, weight, 1e-5f, y, rstd);
            // The gradient is a difference of terms of size 1 / deviation.
            c.termsOfSize(1 / deviation);
            INDArray dy = c.normal(yType, s[0], s[1]);
            INDArray dx = c.scaled(xType, 1 / deviation, s[0], s[1]);
            c.compare(k -> k.rmsNormBackward(dy, x, weight, rstd, dx, false), dx);
            c.compare(k -> k.rmsNormBackward(dy, x, weight, rstd, dx, true), dx);
            INDArray dw = c.normal(DataType.FLOAT, s[1]);
            c.compare(k -> k.rmsNormWeightBackward(dy, x, rstd, dw), dw);
        }
    }

    @Test
    default void rowsOfZerosStayFinite() {
        try (KernelCase c = new KernelCase(this, "zeros")) {
            INDArray x = c.scaled(DataType.FLOAT, 0, 3, 50);
            INDArray weight = c.normal(DataType.FLOAT, 50);
            INDArray y = c.normal(DataType.FLOAT, 3, 50);
            INDArray rstd = c.normal(DataType.FLOAT, 3);
            c.compare(k -> k.rmsNorm(x, weight, 1e-5f, y, rstd), y, rstd);
        }
    }

    @Test
    default void layerNorm() {
        for (int[] s : NORM_SHAPES) {
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    for (double deviation : new double[] {1, 0.05, 100}) {
                        checkLayerNorm(s, xType, yType, deviation);
                    }
                }
            }
        }
    }

    private void checkLayerNorm(int[] s, DataType xType, DataType yType, double deviation) {
        try (KernelCase c = new KernelCase(this, "layer norm", s[0], s[1], xType, yType, deviation)) {
            INDArray x = c.scaled(xType, deviation, s[0], s[1]);
            INDArray weight = c.normal(DataType.FLOAT, s[1]);
            Optional<INDArray> bias = Optional.of(c.normal(DataType.FLOAT, s[1]));
            INDArray y = c.normal(yType, s[0], s[1]);
            INDArray mean = c.normal(DataType.FLOAT, s[0]);
            INDArray rstd = c.normal(DataType.FLOAT, s[0]);
            // A mean is a sum of terms as large as the deviation.
            c.compare(k -> k.layerNorm(x, weight, Optional.empty(), 1e-5f, y, mean, rstd), y, rstd);
            c.termsOfSize(deviation);
            c.compare(k -> k.layerNorm(x, weight, bias, 1e-5f, y, mean, rstd), mean);
            c.termsOfSize(0);
            c.compare(k -> k.layerNorm(x, weight, bias, 1e-5f, y, mean, rstd), y, rstd);
            kernels().layerNorm(x, weight, bias, 1e-5f, y, mean, rstd);
            // The gradient is a difference of terms of size 1 / deviation; where rows have one element, of rstd.
            c.termsOfSize(s[1] == 1 ? 1000 : 1 / deviation);
            INDArray dy = c.normal(yType, s[0], s[1]);
            INDArray dx = c.scaled(xType, 1 / deviation, s[0], s[1]);
            c.compare(k -> k.layerNormBackward(dy, x, weight, mean, rstd, dx, false), dx);
            c.compare(k -> k.layerNormBackward(dy, x, weight, mean, rstd, dx, true), dx);
            INDArray dw = c.normal(DataType.FLOAT, s[1]);
            INDArray db = c.normal(DataType.FLOAT, s[1]);
            c.termsOfSize(0);
            c.compare(k -> k.layerNormWeightBackward(dy, x, mean, rstd, dw, Optional.of(db)), dw, db);
            c.compare(k -> k.layerNormWeightBackward(dy, x, mean, rstd, dw, Optional.empty()), dw);
        }
    }

    /** A mean that is large beside the deviation does not spoil the variance. */
    @Test
    default void layerNormOfRowsFarFromZero() {
        try (KernelCase c = new KernelCase(this, "far from zero")) {
            INDArray x = c.normal(DataType.FLOAT, 5, 96);
            x.addi(300);
            INDArray weight = c.normal(DataType.FLOAT, 96);
            INDArray y = c.normal(DataType.FLOAT, 5, 96);
            INDArray mean = c.normal(DataType.FLOAT, 5);
            INDArray rstd = c.normal(DataType.FLOAT, 5);
            // A mean of such numbers in f32 is off by two or three units of 2^-15; so it is in PyTorch.
            c.loosened(5);
            c.compare(k -> k.layerNorm(x, weight, Optional.empty(), 1e-5f, y, mean, rstd), y, mean, rstd);
        }
    }
}
