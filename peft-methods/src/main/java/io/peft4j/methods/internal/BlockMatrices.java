package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rotation of rows by a block-diagonal matrix: {@code y[n, kb + c] = sum over j of x[n, kb + j] * R_k[j, c]}: x, y
 * [N, D b], R as a matrix [D b, b] of D blocks [b, b] one below the other, or of one block that all share. Gradients:
 * {@code dx_k = dy_k R_k^T}, {@code dR_k = x_k^T dy_k}.
 */
final class BlockMatrices {
    private BlockMatrices() {
    }

    static Variable rotate(Tape tape, Variable x, Variable blocks) {
        INDArray y = tape.arena().allocate(x.value().dataType(), x.value().shape());
        multiply(x.value(), Arrays.toFloats(blocks.value()), blocks.columns(), false, y, false);
        return tape.record(y, (out, dy) -> {
            float[] r = Arrays.toFloats(blocks.value());
            blocks.addGradient((d, accumulate) -> HeapRows.write(d, blockGradients(x.value(), dy, r.length,
                    blocks.columns()), accumulate));
            x.addGradient((dx, accumulate) -> multiply(dy, r, blocks.columns(), true, dx, accumulate));
        }, List.of(x, blocks));
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

    private static double[] blockGradients(INDArray x, INDArray dy, int length, int size) {
        int width = Arrays.columns(x);
        float[] xs = Arrays.toFloats(x);
        float[] dys = Arrays.toFloats(dy);
        double[] sums = new double[length];
        int blocks = length / (size * size);
        // A shared block sums over all places one after the other, others are independent.
        IntStream.range(0, blocks).parallel().forEach(block -> {
            for (int first = block * size; first < width; first += blocks == 1 ? size : width) {
                for (int row = 0; row < xs.length; row += width) {
                    for (int j = 0; j < size; j++) {
                        double factor = xs[row + first + j];
                        int at = block * size * size + j * size;
                        for (int c = 0; c < size; c++) {
                            sums[at + c] += factor * dys[row + first + c];
                        }
                    }
                }
            }
        });
        return sums;
    }
}
