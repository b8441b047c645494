package io.peft4j.core.kernel;

import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Biases, factors, embeddings and chosen rows. */
interface RowContract extends KernelsUnderTest {
    /** N, features. */
    List<int[]> ROW_SHAPES = List.of(new int[] {1, 1}, new int[] {1, 576}, new int[] {5, 7}, new int[] {131, 17},
            new int[] {67, 576}, new int[] {2, 10_007}, new int[] {2053, 3});

    @Test
    default void bias() {
        for (int[] s : ROW_SHAPES) {
            for (DataType type : TYPES) {
                for (DataType biasType : TYPES) {
                    try (KernelCase c = new KernelCase(this, "bias", s[0], s[1], type, biasType)) {
                        INDArray y = c.normal(type, s[0], s[1]);
                        INDArray b = c.normal(biasType, s[1]);
                        c.compare(k -> k.addBias(y, b), y);
                        c.compare(k -> k.addBiasBackward(y, b, false), b);
                        c.compare(k -> k.addBiasBackward(y, b, true), b);
                    }
                }
            }
        }
    }

    @Test
    default void factorsOfRowsAndColumns() {
        for (int[] s : ROW_SHAPES) {
            for (DataType type : TYPES) {
                for (DataType otherType : TYPES) {
                    for (DataType factorType : TYPES) {
                        checkFactors(s, type, otherType, factorType);
                    }
                }
            }
        }
    }

    private void checkFactors(int[] s, DataType type, DataType otherType, DataType factorType) {
        try (KernelCase c = new KernelCase(this, "factors", s[0], s[1], type, otherType, factorType)) {
            INDArray x = c.normal(type, s[0], s[1]);
            INDArray y = c.normal(otherType, s[0], s[1]);
            INDArray ofColumns = c.normal(factorType, s[1]);
            INDArray ofRows = c.normal(factorType, s[0]);
            for (boolean accumulate : new boolean[] {false, true}) {
                c.compare(k -> k.scaleColumns(x, ofColumns, y, accumulate), y);
                c.compare(k -> k.scaleRows(x, ofRows, y, accumulate), y);
            }
            c.compare(k -> k.scaleColumns(x, ofColumns, x, false), x);
            c.compare(k -> k.scaleRows(x, ofRows, x, false), x);
            for (boolean accumulate : new boolean[] {false, true}) {
                c.compare(k -> k.columnDots(x, y, ofColumns, accumulate), ofColumns);
                c.compare(k -> k.rowDots(x, y, ofRows, accumulate), ofRows);
            }
        }
    }

    @Test
    default void gatherFromEveryWeight() {
        for (DataType type : TYPES) {
            for (int count : new int[] {1, 7, 300}) {
                try (KernelCase c = new KernelCase(this, "gather", type, count)) {
                    INDArray y = c.normal(type, count, 256);
                    int[] ids = c.indices(count, 101);
                    for (DataType tableType : TYPES) {
                        FrozenWeight table = c.dense(tableType, 101, 256);
                        c.compare(k -> k.gather(table, ids, y), y);
                    }
                    for (BlockType blockType : BlockType.values()) {
                        FrozenWeight table = c.blocks(blockType, 101, 256);
                        c.compare(k -> k.gather(table, ids, y), y);
                    }
                    FrozenWeight bytes = c.int8(101, 256);
                    c.compare(k -> k.gather(bytes, ids, y), y);
                }
            }
        }
    }

    @Test
    default void chosenRows() {
        for (int[] s : ROW_SHAPES) {
            for (DataType type : TYPES) {
                for (DataType otherType : TYPES) {
                    for (int count : new int[] {1, 3, 150}) {
                        try (KernelCase c = new KernelCase(this, "rows", s[0], s[1], type, otherType, count)) {
                            INDArray x = c.normal(type, s[0], s[1]);
                            INDArray y = c.normal(otherType, count, s[1]);
                            int[] rows = c.indices(count, s[0]);
                            c.compare(k -> k.gatherRows(x, rows, y), y);
                        }
                    }
                }
            }
        }
    }

    @Test
    default void gradientOfChosenRows() {
        for (int[] s : ROW_SHAPES) {
            for (DataType type : TYPES) {
                for (DataType otherType : TYPES) {
                    for (int count : new int[] {1, 3, 150}) {
                        try (KernelCase c = new KernelCase(this, "rows back", s[0], s[1], type, otherType, count)) {
                            INDArray dx = c.normal(type, s[0], s[1]);
                            INDArray dy = c.normal(otherType, count, s[1]);
                            int[] rows = c.indices(count, s[0]);
                            c.compare(k -> k.gatherRowsBackward(dy, rows, dx), dx);
                        }
                    }
                }
            }
        }
    }

    @Test
    default void columns() {
        for (int[] s : new int[][] {{1, 1, 0, 1, 0, 1}, {5, 7, 2, 9, 3, 4}, {67, 576, 64, 128, 0, 128},
            {131, 40, 7, 2100, 1000, 33}, {3, 8, 5, 4, 1, 0}}) {
            for (DataType type : TYPES) {
                for (DataType otherType : TYPES) {
                    try (KernelCase c = new KernelCase(this, "columns", s[0], s[1], s[3], type, otherType)) {
                        INDArray x = c.normal(type, s[0], s[1]);
                        INDArray y = c.normal(otherType, s[0], s[3]);
                        c.compare(k -> k.copyColumns(x, s[2], y, s[4], s[5], false), y);
                        c.compare(k -> k.copyColumns(x, s[2], y, s[4], s[5], true), y);
                    }
                }
            }
        }
    }

    @Test
    default void softmaxOfRows() {
        for (int[] s : new int[][] {{1, 1}, {5, 7}, {131, 8}, {67, 128}}) {
            for (DataType type : TYPES) {
                for (DataType otherType : TYPES) {
                    for (double deviation : new double[] {1, 40}) {
                        try (KernelCase c = new KernelCase(this, "softmax", s[0], s[1], type, otherType, deviation)) {
                            INDArray x = c.scaled(type, deviation, s[0], s[1]);
                            INDArray y = c.normal(otherType, s[0], s[1]);
                            c.compare(k -> k.softmax(x, y), y);
                            kernels().softmax(x, y);
                            INDArray dy = c.normal(otherType, s[0], s[1]);
                            INDArray dx = c.normal(type, s[0], s[1]);
                            // A difference of dy, which is of size 1.
                            c.termsOfSize(1);
                            c.compare(k -> k.softmaxBackward(dy, y, dx, false), dx);
                            c.compare(k -> k.softmaxBackward(dy, y, dx, true), dx);
                        }
                    }
                }
            }
        }
    }
}
