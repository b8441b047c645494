package io.peft4j.core.kernel.support;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.PieceStates;
import io.peft4j.core.kernel.RowOrder;
import io.peft4j.core.kernel.ScanInputs;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.kernel.SequenceKernels;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on sequences for any implementation of {@link Kernels}, over rows that are copied to the heap. */
public final class SequenceLoops implements SequenceKernels {
    /** Columns that a task of the gradient takes. */
    private static final int COLUMNS = 128;

    private final Workers<?> workers;

    /** Loops on the given threads. */
    public SequenceLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y) {
        Convolution convolution = new Convolution(x, weight, bias, order, states);
        Elements ys = Elements.of(y);
        Elements.forRows(workers, order.rows(), convolution.width * convolution.taps, (row, lane) -> {
            float[] sum = lane.floats(1, convolution.width);
            convolution.row(row, sum, lane);
            ys.write((long) row * convolution.width, sum, convolution.width, lane);
        });
        List<INDArray> after = states.after();
        for (int p = 0; p < after.size(); p++) {
            convolution.tail(order.pieces().get(p).end() - 1, after.get(p), workers.caller());
        }
    }

    /** A convolution, and where its rows find those before them. */
    private static final class Convolution {
        private final Elements xs;
        private final float[][] weights;
        private final float[] bias;
        private final int width;
        private final int taps;
        private final RowOrder order;
        private final PieceStates states;
        private final int[] pieceAt;

        Convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states) {
            this.xs = Elements.of(x);
            this.width = Arrays.columns(x);
            this.weights = byTap(weight);
            this.taps = weights.length;
            this.bias = bias.map(Arrays::toFloats).orElseGet(() -> new float[width]);
            this.order = order;
            this.states = states;
            pieceAt = new int[order.rows()];
            for (int p = 0; p < order.pieces().size(); p++) {
                pieceAt[order.pieces().get(p).start()] = p;
            }
        }

        void row(int row, float[] sum, Tiles lane) {
            float[] u = lane.floats(0, width);
            System.arraycopy(bias, 0, sum, 0, width);
            int at = row;
            int first = row;
            for (int j = 0; j < taps; j++) {
                if (at >= 0) {
                    xs.read((long) at * width, u, width, lane);
                    first = at;
                    at = order.previous()[at];
                } else if (!readTail(first, j - steps(row, first) - 1, u)) {
                    return;
                }
                multiplyAdd(u, weights[j], sum, width);
            }
        }

        /** How many rows lie between a row and an earlier one of its sequence. */
        private int steps(int row, int first) {
            int steps = 0;
            for (int at = row; at != first; at = order.previous()[at]) {
                steps++;
            }
            return steps;
        }

        /** Reads the row {@code back} rows before the last one of the state before a row; false where there is none. */
        private boolean readTail(int first, int back, float[] target) {
            Optional<INDArray> before = states.before(pieceAt[first]);
            before.ifPresent(state -> Arrays.read(state, (long) (taps - 2 - back) * width, target, 0, width));
            return before.isPresent();
        }

        /** Writes the last rows up to {@code last}, oldest first; zeros before the beginning. */
        void tail(int last, INDArray target, Tiles lane) {
            float[] u = lane.floats(0, width);
            int at = last;
            int first = last;
            for (int j = 0; j < taps - 1; j++) {
                if (at >= 0) {
                    xs.read((long) at * width, u, width, lane);
                    first = at;
                    at = order.previous()[at];
                } else if (!readTail(first, j - steps(last, first) - 1, u)) {
                    java.util.Arrays.fill(u, 0, width, 0);
                }
                Arrays.write(target, (long) (taps - 2 - j) * width, u, 0, width);
            }
        }
    }

    /** Weights by how many rows they look back. */
    private static float[][] byTap(INDArray weight) {
        int width = Arrays.rows(weight);
        int taps = Arrays.columns(weight);
        float[] all = Arrays.toFloats(weight);
        float[][] weights = new float[taps][width];
        for (int i = 0; i < all.length; i++) {
            weights[taps - 1 - i % taps][i / taps] = all[i];
        }
        return weights;
    }

    private static void multiplyAdd(float[] u, float[] w, float[] sum, int count) {
        for (int i = 0; i < count; i++) {
            sum[i] += u[i] * w[i];
        }
    }

    @Override
    public void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(dy);
        float[][] weights = byTap(weight);
        Elements dys = Elements.of(dy);
        Elements dxs = Elements.of(dx);
        workers.run((width + COLUMNS - 1) / COLUMNS, (lane, task) -> {
            int from = task * COLUMNS;
            int count = Math.min(COLUMNS, width - from);
            float[] sums = new float[order.rows() * count];
            float[] u = lane.floats(0, count);
            for (int row = 0; row < order.rows(); row++) {
                dys.read((long) row * width + from, u, count, lane);
                int at = row;
                for (int j = 0; j < weights.length && at >= 0; j++) {
                    addProduct(u, weights[j], from, sums, at * count, count);
                    at = order.previous()[at];
                }
            }
            for (int row = 0; row < order.rows(); row++) {
                System.arraycopy(sums, row * count, u, 0, count);
                dxs.write((long) row * width + from, u, count, accumulate, lane, 1);
            }
        });
    }

    private static void addProduct(float[] u, float[] w, int from, float[] sums, int at, int count) {
        for (int i = 0; i < count; i++) {
            sums[at + i] += u[i] * w[from + i];
        }
    }

    @Override
    public void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y) {
        new ScanLoops(shape, inputs, order).forward(workers, states, y);
    }

    @Override
    public void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order, ScanInputs gradients) {
        new ScanLoops(shape, inputs, order).backward(workers, dy, gradients);
    }
}
