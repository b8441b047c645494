package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some columns of a short convolution: its rows one after the other, each read once. All loops have one index, since
 * the JIT compiler vectorizes no others.
 */
final class ConvolutionColumns {
    private final int width;
    private final int from;
    private final int count;
    private final int taps;
    private final RowOrder order;
    /** By how many rows they look back. */
    private final float[][] weights;

    ConvolutionColumns(int width, int from, int most, float[] weights, RowOrder order) {
        this.width = width;
        this.from = from;
        this.order = order;
        count = Math.min(most, width - from);
        taps = weights.length / width;
        this.weights = new float[taps][count];
        for (int c = 0; c < count; c++) {
            for (int j = 0; j < taps; j++) {
                this.weights[j][c] = weights[(from + c) * taps + taps - 1 - j];
            }
        }
    }

    private long at(int row) {
        return (long) row * width + from;
    }

    void forward(SmallPieces x, float[] biases, PieceStates states, SmallPieces y, Tiles lane) {
        float[] bias = java.util.Arrays.copyOfRange(biases, from, from + count);
        float[] sum = new float[count];
        float[][] past = new float[taps][count];
        List<RowOrder.Piece> pieces = order.pieces();
        for (int p = 0; p < pieces.size(); p++) {
            readPast(p, x, states, past, lane);
            for (int row = pieces.get(p).start(); row < pieces.get(p).end(); row++) {
                float[] oldest = past[taps - 1];
                System.arraycopy(past, 0, past, 1, taps - 1);
                past[0] = oldest;
                x.read(at(row), oldest, count, lane);
                System.arraycopy(bias, 0, sum, 0, count);
                for (int j = 0; j < taps; j++) {
                    multiplyAdd(past[j], weights[j], sum, count);
                }
                y.write(at(row), sum, count, lane);
            }
            Optional<INDArray> after = states.after(p);
            for (int j = 0; j < taps - 1 && after.isPresent(); j++) {
                Arrays.write(after.get(), at(taps - 2 - j), past[j], 0, count);
            }
        }
    }

    /** Reads the rows before a piece, the latest first: of the batch, then of its state, then zeros. */
    private void readPast(int piece, SmallPieces x, PieceStates states, float[][] past, Tiles lane) {
        int j = 0;
        int row = order.previous()[order.pieces().get(piece).start()];
        for (; j < taps - 1 && row >= 0; j++) {
            x.read(at(row), past[j], count, lane);
            row = order.previous()[row];
        }
        int root = piece;
        while (order.pieces().get(root).parent() >= 0) {
            root = order.pieces().get(root).parent();
        }
        Optional<INDArray> before = states.before(root);
        for (int last = taps - 2; j < taps - 1; j++, last--) {
            if (before.isPresent()) {
                Arrays.read(before.get(), at(last), past[j], 0, count);
            } else {
                java.util.Arrays.fill(past[j], 0);
            }
        }
    }

    /** From the last row to the first: a row adds to those before it, and is whole when its turn comes. */
    void backward(SmallPieces dy, SmallPieces dx, boolean accumulate, Tiles lane) {
        float[] gradient = new float[count];
        float[][] sums = new float[order.rows()][];
        for (int row = order.rows() - 1; row >= 0; row--) {
            dy.read(at(row), gradient, count, lane);
            int to = row;
            for (int j = 0; j < taps && to >= 0; j++) {
                if (sums[to] == null) {
                    sums[to] = new float[count];
                }
                multiplyAdd(gradient, weights[j], sums[to], count);
                to = order.previous()[to];
            }
            if (accumulate) {
                dx.read(at(row), gradient, count, lane);
                SmallRows.add(count, gradient, sums[row]);
            }
            dx.write(at(row), sums[row], count, lane);
            sums[row] = null;
        }
    }

    private static void multiplyAdd(float[] u, float[] w, float[] sum, int count) {
        for (int i = 0; i < count; i++) {
            sum[i] += u[i] * w[i];
        }
    }
}
