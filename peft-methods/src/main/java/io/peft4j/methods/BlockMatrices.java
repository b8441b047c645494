package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rotation of rows by a block-diagonal matrix: {@code y[n, kb + c] = sum over j of x[n, kb + j] * R_k[j, c]}: x, y
 * [N, D b], R as a matrix [D b, b] of D blocks [b, b] one below the other, or of one block that all share. Gradients:
 * {@code dx_k = dy_k R_k^T}, {@code dR_k = x_k^T dy_k}.
 */
final class BlockMatrices {
    private BlockMatrices() {
    }

    /** Smaller blocks go through the kernels as matrices of about this side, with zeros between them. */
    private static final int LEAST_SIDE = 32;
    /** Wide rows are cut into fewer and larger ones: the start of a product costs more than its zeros. */
    private static final int MOST_SIDE = 96;
    private static final int PARTS = 6;

    /**
     * The rows of x rotated.
     *
     * @param products whether by products of kernels, which pay for many rows
     */
    static Variable rotate(Tape tape, Variable x, Variable blocks, boolean products) {
        INDArray y = tape.arena().allocate(x.value().dataType(), x.value().shape());
        if (products) {
            new Products(tape, x, blocks).rotate(x.value(), false, y, false);
        } else {
            multiply(x.value(), Arrays.toFloats(blocks.value()), blocks.columns(), false, y, false);
        }
        return tape.record(y, (out, dy) -> {
            Products back = new Products(tape, x, blocks);
            blocks.addGradient((d, accumulate) -> HeapRows.write(d, back.gradient(x.value(), dy), accumulate));
            x.addGradient((dx, accumulate) -> back.rotate(dy, true, dx, accumulate));
        }, List.of(x, blocks));
    }

    /**
     * Rotation by products of kernels: the columns of each wide block are brought together, so that they are a matrix
     * [N, w] of its own.
     */
    private static final class Products {
        private final Tape tape;
        private final int rows;
        private final int size;
        /** Blocks side by side in a wide one. */
        private final int together;
        private final int wide;
        private final int count;
        private final float[] blocks;

        Products(Tape tape, Variable x, Variable blocks) {
            this.tape = tape;
            this.rows = x.rows();
            this.size = blocks.columns();
            int places = x.columns() / size;
            int side = Math.min(MOST_SIDE, Math.max(LEAST_SIDE, x.columns() / PARTS));
            int most = Math.min(places, Math.max(1, side / size));
            while (places % most != 0) {
                most--;
            }
            this.together = most;
            this.wide = together * size;
            this.count = places / together;
            this.blocks = Arrays.toFloats(blocks.value());
        }

        /** {@code y = x R}, or {@code x R^T}. */
        void rotate(INDArray x, boolean transposed, INDArray y, boolean accumulate) {
            INDArray r = matrices();
            INDArray parts = gathered(x);
            INDArray rotated = tape.arena().allocate(y.dataType(), parts.shape());
            for (int k = 0; k < count; k++) {
                tape.kernels().matmul(part(parts, k), false, Arrays.rowRange(r, k * wide, (k + 1) * wide), transposed,
                        part(rotated, k), 1f, false);
            }
            int[] order = new int[rows * count];
            for (int i = 0; i < order.length; i++) {
                order[i] = i % count * rows + i / count;
            }
            INDArray target = Arrays.reshaped(y, (long) rows * count, wide);
            if (accumulate) {
                tape.kernels().gatherRowsBackward(rotated, BlockMatrices.inverse(order), target);
            } else {
                tape.kernels().gatherRows(rotated, order, target);
            }
            List.of(r, parts, rotated).forEach(tape.arena()::free);
        }

        /** {@code dR_k = x_k^T dy_k}. */
        double[] gradient(INDArray x, INDArray dy) {
            INDArray xs = gathered(x);
            INDArray dys = gathered(dy);
            INDArray d = tape.allocateFloat((long) count * wide, wide);
            for (int k = 0; k < count; k++) {
                tape.kernels().matmul(part(xs, k), true, part(dys, k), false,
                        Arrays.rowRange(d, k * wide, (k + 1) * wide), 1f, false);
            }
            float[] all = Arrays.toFloats(d);
            double[] sums = new double[blocks.length];
            for (int i = 0; i < count * together * size * size; i++) {
                sums[i % sums.length] += all[place(i)];
            }
            List.of(xs, dys, d).forEach(tape.arena()::free);
            return sums;
        }

        /** The wide blocks one below the other. */
        private INDArray matrices() {
            float[] values = new float[count * wide * wide];
            for (int i = 0; i < count * together * size * size; i++) {
                values[place(i)] = blocks[i % blocks.length];
            }
            INDArray r = tape.allocateFloat((long) count * wide, wide);
            Arrays.write(r, 0, values, 0, values.length);
            return r;
        }

        /** The place of an element of the blocks in the wide ones. */
        private int place(int i) {
            int block = i / (size * size);
            int row = block * size + i / size % size;
            return row * wide + block % together * size + i % size;
        }

        /** x [N, in] as [count N, w], the rows of each wide block after each other. */
        private INDArray gathered(INDArray x) {
            int[] order = new int[rows * count];
            for (int i = 0; i < order.length; i++) {
                order[i] = i % rows * count + i / rows;
            }
            INDArray parts = tape.arena().allocate(x.dataType(), order.length, wide);
            tape.kernels().gatherRows(Arrays.reshaped(x, order.length, wide), order, parts);
            return parts;
        }

        private INDArray part(INDArray parts, int k) {
            return Arrays.rowRange(parts, k * rows, (k + 1) * rows);
        }
    }

    /** {@code y = x R}, or {@code x R^T} where {@code transposed}; y may be x unless accumulating. */
    static void multiply(INDArray x, float[] blocks, int size, boolean transposed, INDArray y, boolean accumulate) {
        float[] r = transposed ? transposed(blocks, size) : blocks;
        int width = Arrays.columns(x);
        HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
            float[] in = HeapRows.read(x, from, count);
            float[] result = new float[in.length];
            for (int row = 0; row < in.length; row += width) {
                for (int first = 0; first < width; first += size) {
                    multiplyBlock(in, row + first, r, first * size % r.length, size, result);
                }
            }
            HeapRows.write(y, from, result, accumulate);
        });
    }

    /** {@code result[at + c] = sum over j of in[at + j] * r[block + j size + c]}. */
    private static void multiplyBlock(float[] in, int at, float[] r, int block, int size, float[] result) {
        for (int j = 0; j < size; j++) {
            float factor = in[at + j];
            int row = block + j * size;
            for (int c = 0; c < size; c++) {
                result[at + c] += factor * r[row + c];
            }
        }
    }

    private static float[] transposed(float[] blocks, int size) {
        float[] result = new float[blocks.length];
        for (int block = 0; block < blocks.length; block += size * size) {
            for (int j = 0; j < size; j++) {
                for (int c = 0; c < size; c++) {
                    result[block + c * size + j] = blocks[block + j * size + c];
                }
            }
        }
        return result;
    }

    /**
     * The columns of x in another order: {@code y[n, c] = x[n, source[c]]}. Gradient: back to where they came from.
     *
     * @param source a permutation
     */
    static Variable permute(Tape tape, Variable x, int[] source) {
        INDArray y = tape.arena().allocate(x.value().dataType(), x.value().shape());
        permute(x.value(), source, y, false);
        return tape.record(y,
                (out, dy) -> x.addGradient((dx, accumulate) -> permute(dy, inverse(source), dx, accumulate)),
                List.of(x));
    }

    /** As {@link #permute(Tape, Variable, int[])}, outside of a tape; y may be x unless accumulating. */
    static void permute(INDArray x, int[] source, INDArray y, boolean accumulate) {
        HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
            float[] in = HeapRows.read(x, from, count);
            float[] result = new float[in.length];
            for (int i = 0; i < in.length; i++) {
                int column = i % source.length;
                result[i] = in[i - column + source[column]];
            }
            HeapRows.write(y, from, result, accumulate);
        });
    }

    /** The permutation that takes another one back. */
    static int[] inverse(int[] source) {
        int[] back = new int[source.length];
        for (int i = 0; i < source.length; i++) {
            back[source[i]] = i;
        }
        return back;
    }
}
