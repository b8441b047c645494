package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The matrix products of {@link Nd4jKernels}: cut into tiles whose sizes follow from the shape alone, each computed by
 * one thread. BFLOAT16 operands are converted to f32 before, BFLOAT16 results after; a weight that is not kept in f32
 * is converted a tile at a time, where it is used, so that scratch memory stays small.
 */
final class MatrixProducts implements MatrixKernels, AutoCloseable {
    private static final int TILE_ROWS = 256;
    private static final int TILE_COLUMNS = 512;
    /** Rows of a weight that are converted at a time. */
    private static final int CONVERTED_ROWS = 256;

    private final Workers<ThreadScratch> workers;
    private final Conversion left;
    private final Conversion right;

    MatrixProducts(Workers<ThreadScratch> workers) {
        this.workers = workers;
        this.left = new Conversion(workers);
        this.right = new Conversion(workers);
    }

    /** A cut of {@code length} into equal pieces of at most about {@code most}. */
    private record Cut(int length, int piece) {
        static Cut of(int length, int most, int alignment) {
            int pieces = (length + most - 1) / most;
            int piece = (length + pieces - 1) / pieces;
            return new Cut(length, (piece + alignment - 1) / alignment * alignment);
        }

        int pieces() {
            return (length + piece - 1) / piece;
        }

        int start(int index) {
            return index * piece;
        }

        int end(int index) {
            return Math.min(length, (index + 1) * piece);
        }
    }

    @Override
    public void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        WeightReader reader = WeightReader.of(w);
        int rows = Arrays.rows(x);
        int in = w.columns();
        long a = left.floats(x);
        if (reader.floats().isPresent()) {
            product(false, true, rows, w.rows(), in, 1, a, reader.floats().getAsLong(), y, accumulate);
            return;
        }
        int out = w.rows();
        Result result = new Result(y, out, accumulate);
        Cut columns = Cut.of(out, Math.min(CONVERTED_ROWS, Math.max(32, (out + 3) / 4)), 8);
        workers.run(columns.pieces(), (lane, part) -> {
            int from = columns.start(part);
            int to = columns.end(part);
            long tile = lane.scratch(0, (long) (to - from) * in);
            reader.copy(from, to, 0, in, tile, lane, 0);
            result.compute(lane, 0, rows, from, to, (beta, c, stride) -> Blas.product(lane, false, true, rows,
                    to - from, in, 1, a, in, tile, in, beta, c, stride));
        });
    }

    @Override
    public void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        WeightReader reader = WeightReader.of(w);
        int rows = Arrays.rows(dy);
        int in = w.columns();
        int out = w.rows();
        long a = left.floats(dy);
        if (reader.floats().isPresent()) {
            product(false, false, rows, in, out, 1, a, reader.floats().getAsLong(), dx, accumulate);
            return;
        }
        Result result = new Result(dx, in, accumulate);
        Cut columns = Cut.of(in, Math.min(TILE_COLUMNS, Math.max(32, (in + 3) / 4)), Math.max(8, reader.alignment()));
        workers.run(columns.pieces(), (lane, part) -> {
            int from = columns.start(part);
            int to = columns.end(part);
            int width = to - from;
            long tile = lane.scratch(0, (long) CONVERTED_ROWS * width);
            result.compute(lane, 0, rows, from, to, (beta, c, stride) -> {
                for (int o = 0; o < out; o += CONVERTED_ROWS) {
                    int end = Math.min(out, o + CONVERTED_ROWS);
                    reader.copy(o, end, from, to, tile, lane, 0);
                    Blas.product(lane, false, false, rows, width, end - o, 1, a + 4L * o, out, tile, width,
                            o == 0 ? beta : 1, c, stride);
                }
            });
        });
    }

    @Override
    public void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        int k = transposeA ? Arrays.rows(a) : Arrays.columns(a);
        product(transposeA, transposeB, Arrays.rows(c), Arrays.columns(c), k, alpha, left.floats(a), right.floats(b), c,
                accumulate);
    }

    /** Operands are dense: a row of op(A) has k floats, of op(B) n floats. */
    private void product(boolean transposeA, boolean transposeB, int m, int n, int k, float alpha, long a, long b,
            INDArray target, boolean accumulate) {
        Result result = new Result(target, n, accumulate);
        Cut rows = Cut.of(m, TILE_ROWS, 8);
        Cut columns = Cut.of(n, m > 128 ? TILE_COLUMNS : m > 32 ? TILE_COLUMNS / 2 : TILE_COLUMNS / 4, 16);
        int strideA = transposeA ? m : k;
        int strideB = transposeB ? k : n;
        workers.run(rows.pieces() * columns.pieces(), (lane, part) -> {
            int row = rows.start(part / columns.pieces());
            int rowEnd = rows.end(part / columns.pieces());
            int column = columns.start(part % columns.pieces());
            int columnEnd = columns.end(part % columns.pieces());
            long tileA = a + 4L * row * (transposeA ? 1 : k);
            long tileB = b + 4L * column * (transposeB ? k : 1);
            result.compute(lane, row, rowEnd, column, columnEnd,
                    (beta, c, stride) -> Blas.product(lane, transposeA, transposeB, rowEnd - row, columnEnd - column, k,
                            alpha, tileA,
                            strideA, tileB, strideB, beta, c, stride));
        });
    }

    /** Computes a tile of a result into f32 memory. */
    @FunctionalInterface
    private interface TileProduct {
        void run(float beta, long c, int stride);
    }

    /** Where a product goes: straight into a FLOAT array, by way of a scratch tile into a BFLOAT16 array. */
    private record Result(Elements target, int columns, boolean accumulate) {
        Result(INDArray target, int columns, boolean accumulate) {
            this(Elements.of(target), columns, accumulate);
        }

        void compute(ThreadScratch lane, int row, int rowEnd, int column, int columnEnd, TileProduct product) {
            if (!target.narrow()) {
                product.run(accumulate ? 1 : 0, target.address() + 4 * ((long) row * columns + column), columns);
                return;
            }
            int width = columnEnd - column;
            long tile = lane.scratch(1, (long) (rowEnd - row) * width);
            product.run(0, tile, width);
            Elements computed = new Elements(tile, false);
            float[] values = lane.floats(1, width);
            for (int i = row; i < rowEnd; i++) {
                computed.read((long) (i - row) * width, values, width, lane);
                target.write((long) i * columns + column, values, width, accumulate, lane, 2);
            }
        }
    }

    @Override
    public void close() {
        left.close();
        right.close();
    }
}
