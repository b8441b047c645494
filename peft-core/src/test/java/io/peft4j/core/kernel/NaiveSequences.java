package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The operations on sequences of {@link NaiveKernels}: row by row, by their definitions. */
final class NaiveSequences implements SequenceKernels {
    // ---- convolution

    @Override
    public void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y) {
        int width = Arrays.columns(x);
        int taps = Arrays.columns(weight);
        float[] xs = Arrays.toFloats(x);
        float[] w = Arrays.toFloats(weight);
        float[] b = bias.map(Arrays::toFloats).orElseGet(() -> new float[width]);
        double[] sums = new double[xs.length];
        List<RowOrder.Piece> pieces = order.pieces();
        for (int p = 0; p < pieces.size(); p++) {
            for (int row = pieces.get(p).start(); row < pieces.get(p).end(); row++) {
                float[][] history = history(xs, width, taps, row, order, states);
                for (int c = 0; c < width; c++) {
                    sums[row * width + c] = b[c];
                    for (int j = 0; j < taps; j++) {
                        sums[row * width + c] += (double) w[c * taps + taps - 1 - j] * history[j][c];
                    }
                }
            }
            float[][] last = history(xs, width, taps, pieces.get(p).end() - 1, order, states);
            states.after(p).ifPresent(after -> {
                for (int j = 0; j < taps - 1; j++) {
                    Arrays.write(after, (long) (taps - 2 - j) * width, last[j], 0, width);
                }
            });
        }
        NaiveOperations.store(sums, y, false);
    }

    /** A row and those before it, the latest first. */
    private static float[][] history(float[] xs, int width, int taps, int row, RowOrder order, PieceStates states) {
        float[][] rows = new float[taps][width];
        int at = row;
        int first = row;
        int found = 0;
        for (; found < taps && at >= 0; found++) {
            System.arraycopy(xs, at * width, rows[found], 0, width);
            first = at;
            at = order.previous()[at];
        }
        for (int i = 0; i < order.pieces().size() && found < taps; i++) {
            if (order.pieces().get(i).start() == first && states.before(i).isPresent()) {
                for (int tail = taps - 2; found < taps; found++, tail--) {
                    Arrays.read(states.before(i).get(), (long) tail * width, rows[found], 0, width);
                }
            }
        }
        return rows;
    }

    // dx[t] = sum over the rows r that are j rows behind t, of weight[K - 1 - j] * dy[r]
    @Override
    public void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(dy);
        int taps = Arrays.columns(weight);
        float[] dys = Arrays.toFloats(dy);
        float[] w = Arrays.toFloats(weight);
        double[] sums = new double[dys.length];
        for (int row = 0; row < order.rows(); row++) {
            int at = row;
            for (int j = 0; j < taps && at >= 0; j++) {
                for (int c = 0; c < width; c++) {
                    sums[at * width + c] += (double) w[c * taps + taps - 1 - j] * dys[row * width + c];
                }
                at = order.previous()[at];
            }
        }
        NaiveOperations.store(sums, dx, accumulate);
    }

    // ---- scan

    @Override
    public void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y) {
        Scan scan = new Scan(shape, inputs, order);
        scan.forward(states);
        NaiveOperations.store(scan.results, y, false);
        for (int p = 0; p < order.pieces().size(); p++) {
            double[] last = scan.states[order.pieces().get(p).end() - 1];
            states.after(p).ifPresent(after -> NaiveOperations.store(last, after, false));
        }
    }

    @Override
    public void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order, ScanInputs gradients) {
        Scan scan = new Scan(shape, inputs, order);
        scan.forward(PieceStates.NONE);
        double[][] sums = scan.backward(Arrays.toFloats(dy));
        NaiveOperations.store(sums[0], gradients.queries(), false);
        NaiveOperations.store(sums[1], gradients.keys(), false);
        NaiveOperations.store(sums[2], gradients.values(), false);
        NaiveOperations.store(sums[3], gradients.decay(), false);
        gradients.rate().ifPresent(rate -> NaiveOperations.store(sums[4], rate, false));
    }

    /** A scan with the states after all rows. */
    private static final class Scan {
        private final ScanShape shape;
        private final RowOrder order;
        private final float[] q;
        private final float[] k;
        private final float[] v;
        private final float[] g;
        private final Optional<float[]> beta;
        private final double[][] states;
        private final double[] results;
        /** The states before the first rows of pieces that go on behind an earlier pass. */
        private final double[][] given;

        Scan(ScanShape shape, ScanInputs inputs, RowOrder order) {
            this.shape = shape;
            this.order = order;
            q = Arrays.toFloats(inputs.queries());
            k = Arrays.toFloats(inputs.keys());
            v = Arrays.toFloats(inputs.values());
            g = Arrays.toFloats(inputs.decay());
            beta = inputs.rate().map(Arrays::toFloats);
            states = new double[order.rows()][shape.stateSize()];
            given = new double[order.rows()][shape.stateSize()];
            results = new double[v.length];
        }

        private double[] stateBefore(int row) {
            int previous = order.previous()[row];
            return previous < 0 ? given[row] : states[previous];
        }

        void forward(PieceStates before) {
            for (int p = 0; p < order.pieces().size(); p++) {
                int start = order.pieces().get(p).start();
                before.before(p).ifPresent(state -> given[start] = Arrays.doubles(Arrays.toFloats(state)));
            }
            for (int row = 0; row < order.rows(); row++) {
                for (int head = 0; head < shape.valueHeads(); head++) {
                    for (int j = 0; j < shape.valueSize(); j++) {
                        advance(new Column(row, head, j), stateBefore(row));
                    }
                }
            }
        }

        /** Column j of the state of a head at a row. */
        private record Column(int row, int head, int j) {
        }

        private int keyAt(Column c) {
            return (c.row * shape.keyHeads() + shape.keyHead(c.head)) * shape.keySize();
        }

        private int stateAt(Column c) {
            return c.head * shape.keySize() * shape.valueSize() + c.j;
        }

        private double decay(Column c) {
            return Math.exp(g[c.row * shape.valueHeads() + c.head]);
        }

        /** {@code v - exp(g) S^T k}, or v. */
        private double residual(Column c, double[] before) {
            double value = v[(c.row * shape.valueHeads() + c.head) * shape.valueSize() + c.j];
            return beta.isEmpty() ? value : value - decay(c) * read(c, before);
        }

        private double read(Column c, double[] state) {
            double sum = 0;
            for (int i = 0; i < shape.keySize(); i++) {
                sum += k[keyAt(c) + i] * state[stateAt(c) + i * shape.valueSize()];
            }
            return sum;
        }

        private double rate(Column c) {
            return beta.map(b -> (double) b[c.row * shape.valueHeads() + c.head]).orElse(1.0);
        }

        private void advance(Column c, double[] before) {
            double u = rate(c) * residual(c, before);
            double sum = 0;
            for (int i = 0; i < shape.keySize(); i++) {
                int at = stateAt(c) + i * shape.valueSize();
                double state = decay(c) * before[at] + k[keyAt(c) + i] * u;
                states[c.row][at] = state;
                sum += state * q[keyAt(c) + i];
            }
            results[(c.row * shape.valueHeads() + c.head) * shape.valueSize() + c.j] = sum;
        }

        /** The gradients of queries, keys, values, decay and rate. */
        double[][] backward(float[] dy) {
            double[][] sums = {new double[q.length], new double[k.length], new double[v.length], new double[g.length],
                new double[g.length]};
            double[][] dStates = new double[order.rows()][shape.stateSize()];
            for (int row = order.rows() - 1; row >= 0; row--) {
                int previous = order.previous()[row];
                double[] dBefore = previous < 0 ? new double[shape.stateSize()] : dStates[previous];
                for (int head = 0; head < shape.valueHeads(); head++) {
                    for (int j = 0; j < shape.valueSize(); j++) {
                        retreat(new Column(row, head, j), dy, dStates[row], dBefore, sums);
                    }
                }
            }
            return sums;
        }

        // S = a B + k u, u = beta (v - a B^T k): du = k . dS, dw = beta du, dB += a (dS - k dw)
        private void retreat(Column c, float[] dys, double[] dState, double[] dBefore, double[][] sums) {
            double[] before = stateBefore(c.row);
            int value = (c.row * shape.valueHeads() + c.head) * shape.valueSize() + c.j;
            int gate = c.row * shape.valueHeads() + c.head;
            double residual = residual(c, before);
            double u = rate(c) * residual;
            double du = 0;
            for (int i = 0; i < shape.keySize(); i++) {
                int at = stateAt(c) + i * shape.valueSize();
                sums[0][keyAt(c) + i] += states[c.row][at] * dys[value];
                dState[at] += q[keyAt(c) + i] * (double) dys[value];
                sums[1][keyAt(c) + i] += dState[at] * u;
                du += k[keyAt(c) + i] * dState[at];
            }
            double dw = rate(c) * du;
            sums[2][value] = dw;
            sums[4][gate] += du * residual;
            double moved = beta.isPresent() ? dw : 0;
            for (int i = 0; i < shape.keySize(); i++) {
                int at = stateAt(c) + i * shape.valueSize();
                double d = decay(c) * (dState[at] - k[keyAt(c) + i] * moved);
                dBefore[at] += d;
                sums[3][gate] += d * before[at];
                sums[1][keyAt(c) + i] -= decay(c) * before[at] * moved;
            }
        }
    }
}
