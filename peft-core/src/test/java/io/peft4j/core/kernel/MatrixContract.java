package io.peft4j.core.kernel;

import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Matrix products. */
interface MatrixContract extends KernelsUnderTest {
    /** N, I, O: single rows, primes, sizes of a small model, adapters' ranks, more outputs than a tile. */
    List<int[]> SHAPES = List.of(new int[] {1, 1, 1}, new int[] {1, 64, 7}, new int[] {3, 5, 2}, new int[] {7, 13, 11},
            new int[] {31, 37, 41}, new int[] {1, 576, 192}, new int[] {64, 576, 8}, new int[] {64, 8, 576},
            new int[] {129, 96, 577}, new int[] {17, 1536, 576}, new int[] {2, 48, 1031});

    @Test
    default void linearByDenseWeights() {
        for (int[] s : SHAPES) {
            for (DataType weightType : TYPES) {
                for (DataType xType : TYPES) {
                    for (DataType yType : TYPES) {
                        checkLinear("dense", s, weightType, xType, yType);
                    }
                }
            }
        }
    }

    @Test
    default void linearByInt8Weights() {
        for (int[] s : SHAPES) {
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    checkLinear("int8", s, DataType.INT8, xType, yType);
                }
            }
        }
    }

    private void checkLinear(String what, int[] s, DataType weightType, DataType xType, DataType yType) {
        for (boolean accumulate : new boolean[] {false, true}) {
            try (KernelCase c = new KernelCase(this, what, s[0], s[1], s[2], weightType, xType, yType, accumulate)) {
                // Where a product is added to what was there, the sum may be smaller than both.
                c.termsOfSize(1);
                FrozenWeight w = weightType == DataType.INT8 ? c.int8(s[2], s[1]) : c.dense(weightType, s[2], s[1]);
                INDArray x = c.normal(xType, s[0], s[1]);
                INDArray y = c.normal(yType, s[0], s[2]);
                c.compare(k -> k.linear(x, w, y, accumulate), y);
                INDArray dy = c.normal(yType, s[0], s[2]);
                INDArray dx = c.normal(xType, s[0], s[1]);
                c.compare(k -> k.linearBackward(dy, w, dx, accumulate), dx);
            }
        }
    }

    @Test
    default void linearByBlockWeights() {
        for (BlockType blockType : BlockType.values()) {
            for (int[] s : List.of(new int[] {1, 256, 3}, new int[] {5, 512, 37}, new int[] {33, 256, 300})) {
                for (DataType type : TYPES) {
                    try (KernelCase c = new KernelCase(this, "linear", blockType, s[0], s[1], s[2], type)) {
                        FrozenWeight w = c.blocks(blockType, s[2], s[1]);
                        INDArray x = c.normal(type, s[0], s[1]);
                        INDArray y = c.normal(type, s[0], s[2]);
                        c.compare(k -> k.linear(x, w, y, false), y);
                        c.compare(k -> k.linear(x, w, y, true), y);
                        INDArray dx = c.normal(type, s[0], s[1]);
                        c.compare(k -> k.linearBackward(y, w, dx, false), dx);
                        c.compare(k -> k.linearBackward(y, w, dx, true), dx);
                    }
                }
            }
        }
    }

    @Test
    default void linearByBlockWeightsOfTheSmallestWidth() {
        for (BlockType blockType : BlockType.values()) {
            try (KernelCase c = new KernelCase(this, "narrow linear", blockType)) {
                int columns = blockType.blockSize();
                FrozenWeight w = c.blocks(blockType, 19, columns);
                INDArray x = c.normal(DataType.FLOAT, 3, columns);
                INDArray y = c.normal(DataType.FLOAT, 3, 19);
                c.compare(k -> k.linear(x, w, y, false), y);
                INDArray dx = c.normal(DataType.FLOAT, 3, columns);
                c.compare(k -> k.linearBackward(y, w, dx, false), dx);
            }
        }
    }

    /** The same result twice in a row with other products in between: nothing of a weight is kept between calls. */
    @Test
    default void quantizedWeightsInTurn() {
        try (KernelCase c = new KernelCase(this, "in turn")) {
            FrozenWeight first = c.int8(96, 64);
            FrozenWeight second = c.int8(96, 64);
            FrozenWeight third = c.blocks(BlockType.Q4_1, 96, 64);
            INDArray x = c.normal(DataType.BFLOAT16, 37, 64);
            INDArray y = c.normal(DataType.BFLOAT16, 37, 96);
            INDArray dx = c.normal(DataType.BFLOAT16, 37, 64);
            for (FrozenWeight w : List.of(first, second, first, third, second)) {
                c.compare(k -> k.linear(x, w, y, false), y);
                c.compare(k -> k.linearBackward(y, w, dx, false), dx);
            }
        }
    }

    @Test
    default void matmul() {
        for (int[] s : SHAPES) {
            for (int flags = 0; flags < 8; flags++) {
                boolean ta = (flags & 1) != 0;
                boolean tb = (flags & 2) != 0;
                boolean accumulate = (flags & 4) != 0;
                checkMatmul(s, ta, tb, accumulate, DataType.FLOAT, DataType.FLOAT, DataType.FLOAT);
                checkMatmul(s, ta, tb, accumulate, DataType.BFLOAT16, DataType.FLOAT, DataType.FLOAT);
                checkMatmul(s, ta, tb, accumulate, DataType.FLOAT, DataType.FLOAT, DataType.BFLOAT16);
                checkMatmul(s, ta, tb, accumulate, DataType.BFLOAT16, DataType.BFLOAT16, DataType.BFLOAT16);
                checkMatmul(s, ta, tb, accumulate, DataType.FLOAT, DataType.BFLOAT16, DataType.FLOAT);
            }
        }
    }

    private void checkMatmul(int[] s, boolean ta, boolean tb, boolean accumulate, DataType aType, DataType bType,
            DataType cType) {
        float alpha = accumulate ? -0.75f : 2f;
        try (KernelCase c = new KernelCase(this, "matmul", s[0], s[1], s[2], ta, tb, accumulate, aType, bType, cType)) {
            c.termsOfSize(1);
            INDArray a = ta ? c.normal(aType, s[1], s[0]) : c.normal(aType, s[0], s[1]);
            INDArray b = tb ? c.normal(bType, s[2], s[1]) : c.normal(bType, s[1], s[2]);
            INDArray result = c.normal(cType, s[0], s[2]);
            c.compare(k -> k.matmul(a, ta, b, tb, result, alpha, accumulate), result);
        }
    }

    @Test
    default void lowRankUpdate() {
        for (int[] s : List.of(new int[] {1, 1, 1, 1}, new int[] {7, 13, 3, 11}, new int[] {33, 96, 8, 70},
                new int[] {130, 64, 16, 200})) {
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    checkLowRank(s, xType, yType);
                }
            }
        }
    }

    private void checkLowRank(int[] s, DataType xType, DataType yType) {
        try (KernelCase c = new KernelCase(this, "low rank", s[0], s[1], s[2], s[3], xType, yType)) {
            c.termsOfSize(1);
            INDArray x = c.normal(xType, s[0], s[1]);
            INDArray a = c.normal(DataType.FLOAT, s[2], s[1]);
            INDArray b = c.normal(DataType.FLOAT, s[3], s[2]);
            INDArray h = c.normal(DataType.FLOAT, s[0], s[2]);
            INDArray y = c.normal(yType, s[0], s[3]);
            c.compare(k -> k.lowRank(x, a, b, 0.5f, h, y), h, y);
            INDArray dy = c.normal(yType, s[0], s[3]);
            INDArray dh = c.normal(DataType.FLOAT, s[0], s[2]);
            INDArray dx = c.normal(xType, s[0], s[1]);
            INDArray da = c.normal(DataType.FLOAT, s[2], s[1]);
            INDArray db = c.normal(DataType.FLOAT, s[3], s[2]);
            for (boolean accumulate : new boolean[] {false, true}) {
                c.compare(k -> k.lowRankBackward(dy, x, a, b, 2f, h, dh, dx, accumulate, da, db), dh, dx, da, db);
            }
        }
    }

    /** A frozen weight's product and its update at once, with weights of all kinds. */
    @Test
    default void linearWithLowRank() {
        for (int[] s : List.of(new int[] {1, 8, 1, 3}, new int[] {7, 32, 3, 11}, new int[] {67, 64, 8, 70},
                new int[] {130, 64, 16, 200}, new int[] {257, 96, 5, 64})) {
            for (DataType type : TYPES) {
                for (DataType weightType : TYPES) {
                    checkLinearWithLowRank("dense", s, type, c -> c.dense(weightType, s[3], s[1]));
                }
                checkLinearWithLowRank("int8", s, type, c -> c.int8(s[3], s[1]));
            }
        }
    }

    private void checkLinearWithLowRank(String kind, int[] s, DataType type,
            Function<KernelCase, FrozenWeight> weight) {
        try (KernelCase c = new KernelCase(this, "linear with low rank", kind, s[0], s[1], s[2], s[3], type)) {
            // In BFLOAT16 the product is rounded before the update is added, and the largest of its elements are three
            // times as large as their deviation.
            c.termsOfSize(3 * Math.sqrt(Math.max(s[1], s[3])));
            FrozenWeight w = weight.apply(c);
            INDArray x = c.normal(type, s[0], s[1]);
            INDArray a = c.normal(DataType.FLOAT, s[2], s[1]);
            INDArray b = c.normal(DataType.FLOAT, s[3], s[2]);
            INDArray h = c.normal(DataType.FLOAT, s[0], s[2]);
            INDArray y = c.normal(type, s[0], s[3]);
            c.compare(k -> k.linearWithLowRank(x, w, a, b, 0.5f, h, y), h, y);
            INDArray dy = c.normal(type, s[0], s[3]);
            INDArray dh = c.normal(DataType.FLOAT, s[0], s[2]);
            INDArray dx = c.normal(type, s[0], s[1]);
            INDArray da = c.normal(DataType.FLOAT, s[2], s[1]);
            INDArray db = c.normal(DataType.FLOAT, s[3], s[2]);
            for (boolean accumulate : new boolean[] {false, true}) {
                c.compare(k -> k.linearWithLowRankBackward(dy, w, x, a, b, 2f, h, dh, dx, accumulate, da, db), dh, dx,
                        da, db);
            }
        }
    }

    /** Rows with matrices of their own, some rows with none, two parts with the same. */
    @Test
    default void lowRankUpdatesByRows() {
        for (DataType type : TYPES) {
            try (KernelCase c = new KernelCase(this, "low rank by rows", type)) {
                c.termsOfSize(1);
                INDArray x = c.normal(type, 150, 48);
                INDArray y = c.normal(type, 150, 70);
                INDArray dx = c.normal(type, 150, 48);
                List<LowRankPart> parts = new ArrayList<>();
                List<LowRankPart.Gradient> gradients = new ArrayList<>();
                int[][] rows = {{0, 1}, {5, 85}, {85, 92}, {100, 148}};
                for (int i = 0; i < rows.length; i++) {
                    int rank = new int[] {3, 8, 16, 8}[i];
                    boolean again = i == 3;
                    INDArray a = again ? parts.get(1).a() : c.normal(DataType.FLOAT, rank, 48);
                    INDArray b = again ? parts.get(1).b() : c.normal(DataType.FLOAT, 70, rank);
                    int count = rows[i][1] - rows[i][0];
                    parts.add(new LowRankPart(rows[i][0], rows[i][1], a, b, 0.5f + i,
                            c.normal(DataType.FLOAT, count, rank)));
                    gradients.add(new LowRankPart.Gradient(c.normal(DataType.FLOAT, count, rank),
                            again ? gradients.get(1).da() : c.normal(DataType.FLOAT, rank, 48),
                            again ? gradients.get(1).db() : c.normal(DataType.FLOAT, 70, rank)));
                }
                c.compare(k -> k.lowRankByRows(x, parts, y), y, parts.get(0).h(), parts.get(1).h(), parts.get(3).h());
                INDArray dy = c.normal(type, 150, 70);
                c.compare(k -> k.lowRankByRowsBackward(dy, x, parts, gradients, dx), dx, gradients.get(0).da(),
                        gradients.get(1).da(), gradients.get(1).db(), gradients.get(2).db(), gradients.get(3).dh());
            }
        }
    }

    @Test
    default void matmulOfAnArrayWithItself() {
        try (KernelCase c = new KernelCase(this, "gram")) {
            INDArray a = c.normal(DataType.FLOAT, 23, 9);
            INDArray result = c.normal(DataType.FLOAT, 9, 9);
            c.compare(k -> k.matmul(a, true, a, false, result, 1f, false), result);
        }
    }

    @Test
    default void oldContentsAreNotReadUnlessAccumulating() {
        for (int rows : new int[] {1, 6, 40}) {
            for (DataType weightType : TYPES) {
                checkOldContents(rows, weightType);
            }
        }
    }

    private void checkOldContents(int rows, DataType weightType) {
        try (KernelCase c = new KernelCase(this, "NaN in the result", rows, weightType)) {
            FrozenWeight w = c.dense(weightType, 12, 40);
            INDArray x = c.normal(DataType.FLOAT, rows, 40);
            INDArray y = c.normal(DataType.FLOAT, rows, 12);
            INDArray dx = c.normal(DataType.FLOAT, rows, 40);
            INDArray h = c.normal(DataType.FLOAT, 40, 12);
            c.compare(k -> {
                y.assign(Float.NaN);
                k.linear(x, w, y, false);
                dx.assign(Float.NaN);
                k.linearBackward(y, w, dx, false);
                h.assign(Float.NaN);
                k.matmul(x, true, y, false, h, 1f, false);
            }, y, dx, h);
        }
    }

    @Test
    default void rowsOfALargerArray() {
        try (KernelCase c = new KernelCase(this, "views")) {
            for (DataType type : TYPES) {
                INDArray all = c.normal(type, 20, 33);
                INDArray x = all.get(NDArrayIndex.interval(5, 16), NDArrayIndex.all());
                FrozenWeight w = c.dense(type, 9, 33);
                INDArray y = c.normal(type, 11, 9);
                c.compare(k -> k.linear(x, w, y, false), y);
                c.compare(k -> k.linearBackward(y, w, x, true), all);
            }
        }
    }
}
