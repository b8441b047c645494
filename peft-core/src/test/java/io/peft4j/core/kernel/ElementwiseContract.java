package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arrays;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Elementwise operations. */
interface ElementwiseContract extends KernelsUnderTest {
    /** Rows and columns: one element, less than a tile, exactly powers of two, more than several tiles. */
    int[][] SIZES = {{1, 1}, {1, 7}, {3, 341}, {32, 32}, {67, 576}, {5, 8193}};

    @Test
    default void addAndMultiply() {
        for (int[] s : SIZES) {
            for (DataType aType : TYPES) {
                for (DataType bType : TYPES) {
                    for (DataType yType : TYPES) {
                        try (KernelCase c = new KernelCase(this, "binary", s[0], s[1], aType, bType, yType)) {
                            INDArray a = c.normal(aType, s[0], s[1]);
                            INDArray b = c.normal(bType, s[0], s[1]);
                            INDArray y = c.normal(yType, s[0], s[1]);
                            c.compare(k -> k.add(a, b, y), y);
                            c.compare(k -> k.multiply(a, b, y, false), y);
                            c.compare(k -> k.multiply(a, b, y, true), y);
                            c.compare(k -> k.add(a, b, b), b);
                            c.compare(k -> k.add(a, b, a), a);
                            c.compare(k -> k.add(a, a, y), y);
                            c.compare(k -> k.multiply(a, b, b, false), b);
                            c.compare(k -> k.multiply(a, b, a, true), a);
                        }
                    }
                }
            }
        }
    }

    @Test
    default void scale() {
        for (int[] s : SIZES) {
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    for (float alpha : new float[] {1, 0, -2.5f}) {
                        try (KernelCase c = new KernelCase(this, "scale", s[0], s[1], xType, yType, alpha)) {
                            INDArray x = c.normal(xType, s[0], s[1]);
                            INDArray y = c.normal(yType, s[0], s[1]);
                            c.compare(k -> k.scale(x, alpha, y, false), y);
                            c.compare(k -> k.scale(x, alpha, y, true), y);
                            c.compare(k -> k.scale(x, alpha, x, false), x);
                            c.compare(k -> k.scale(x, alpha, x, true), x);
                        }
                    }
                }
            }
        }
    }

    @Test
    default void conversionIsExactOrRoundsToNearestEven() {
        try (KernelCase c = new KernelCase(this, "conversion")) {
            float[] values = {1, 1 + 0x1p-8f, 1 + 0x1.8p-8f, 1 + 0x3p-8f, -0f, 0x1p-130f, 3e38f};
            float[] rounded = {1, 1, 1 + 0x1p-7f, 1 + 0x1p-6f, -0f, 0x1p-130f, 3e38f};
            INDArray wide = c.normal(DataType.FLOAT, values.length);
            INDArray narrow = c.normal(DataType.BFLOAT16, values.length);
            Arrays.write(wide, 0, values, 0, values.length);
            kernels().scale(wide, 1f, narrow, false);
            kernels().scale(narrow, 1f, wide, false);
            float[] back = Arrays.toFloats(wide);
            for (int i = 0; i < 6; i++) {
                assertEquals(rounded[i], back[i], "value " + values[i]);
            }
            // 3e38 lies between two BFLOAT16 numbers; both are less than 2^-8 away.
            assertEquals(rounded[6], back[6], 3e38f / 256);
        }
    }

    @Test
    default void dropout() {
        for (int[] s : SIZES) {
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    for (float p : new float[] {0, 0.1f, 0.5f, 0.95f}) {
                        try (KernelCase c = new KernelCase(this, "dropout", s[0], s[1], xType, yType, p)) {
                            INDArray x = c.normal(xType, s[0], s[1]);
                            INDArray y = c.normal(yType, s[0], s[1]);
                            c.compare(k -> k.dropout(x, p, 42, y, false), y);
                            c.compare(k -> k.dropout(x, p, -7, y, true), y);
                            c.compare(k -> k.dropout(x, p, Long.MAX_VALUE, x, false), x);
                        }
                    }
                }
            }
        }
    }
}
