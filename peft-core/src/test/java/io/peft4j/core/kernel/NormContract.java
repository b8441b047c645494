package io.peft4j.core.kernel;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** RMS norm. */
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
}
