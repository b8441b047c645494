package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on sequences for any implementation of {@link Kernels}, over rows that are copied to the heap. */
@Internal(shared = true)
public final class SequenceLoops implements SequenceKernels {
    /** Columns of a task of a convolution. */
    private static final int COLUMNS = 512;

    private final Workers<?> workers;

    /** Loops on the given threads. */
    public SequenceLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y) {
        int width = Arrays.columns(x);
        float[] weights = Arrays.toFloats(weight);
        float[] biases = bias.map(Arrays::toFloats).orElseGet(() -> new float[width]);
        SmallPieces xs = SmallPieces.of(x);
        SmallPieces ys = SmallPieces.of(y);
        workers.run(blocks(width),
                (lane, task) -> new ConvolutionColumns(width, task * COLUMNS, COLUMNS, weights, order)
                        .forward(xs, biases, states, ys, lane));
    }

    @Override
    public void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(dy);
        float[] weights = Arrays.toFloats(weight);
        SmallPieces dys = SmallPieces.of(dy);
        SmallPieces dxs = SmallPieces.of(dx);
        workers.run(blocks(width),
                (lane, task) -> new ConvolutionColumns(width, task * COLUMNS, COLUMNS, weights, order)
                        .backward(dys, dxs, accumulate, lane));
    }

    private static int blocks(int width) {
        return (width + COLUMNS - 1) / COLUMNS;
    }

    @Override
    public void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y) {
        new ScanLoops(shape, inputs, order).forward(workers, states, y);
    }

    @Override
    public void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order, ScanInputs gradients) {
        new ScanLoops(shape, inputs, order).backward(workers, dy, gradients);
    }

    /**
     * Some columns of a short convolution: its rows one after the other, each read once. All loops have one index,
     * since the JIT compiler vectorizes no others.
     */
    private static final class ConvolutionColumns {
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
}
