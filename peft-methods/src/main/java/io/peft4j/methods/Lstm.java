package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One layer of a bidirectional LSTM (<a href="https://www.bioinf.jku.at/publications/older/2604.pdf">Hochreiter and
 * Schmidhuber 1997</a>) as PyTorch computes it, over T steps of one sequence: with the gates
 * {@code [i f g o] = x W_ih^T + b_ih + h W_hh^T + b_hh}, {@code c = sigmoid(f) c + sigmoid(i) tanh(g)},
 * {@code h = sigmoid(o) tanh(c)}. x [T, I], W_ih [4R, I], W_hh [4R, R], b [4R]; the result [T, 2R] holds h of the
 * forward direction, then that of the backward one. Computed in double.
 */
final class Lstm {
    record Direction(Variable wIh, Variable wHh, Variable bIh, Variable bHh) {
        private Stream<Variable> all() {
            return Stream.of(wIh, wHh, bIh, bHh);
        }
    }

    private Lstm() {
    }

    static Variable run(Tape tape, Variable x, Direction forward, Direction backward) {
        Pass first = new Pass(x.value(), forward, false);
        Pass second = new Pass(x.value(), backward, true);
        INDArray y = tape.allocateFloat(x.rows(), 2L * first.r);
        float[] values = new float[x.rows() * 2 * first.r];
        first.put(values, 0);
        second.put(values, first.r);
        Arrays.write(y, 0, values, 0, values.length);
        List<Variable> inputs = Stream.concat(Stream.of(x), Stream.concat(forward.all(), backward.all())).toList();
        return tape.record(y, (out, dy) -> {
            float[] dys = Arrays.toFloats(dy);
            double[] dx = first.back(dys, 0, forward);
            double[] other = second.back(dys, first.r, backward);
            for (int i = 0; i < dx.length; i++) {
                dx[i] += other[i];
            }
            x.addGradient((gradient, accumulate) -> HeapRows.write(gradient, dx, accumulate));
        }, inputs);
    }

    /** One direction: what the forward pass keeps for the gradients. */
    private static final class Pass {
        private final int steps;
        private final int in;
        private final int r;
        private final boolean reverse;
        private final float[] x;
        private final float[] wIh;
        private final float[] wHh;
        /** Gates after their functions, [T][4R], cells and outputs, [T][R]. */
        private final double[][] gates;
        private final double[][] cells;
        private final double[][] outputs;

        Pass(INDArray input, Direction weights, boolean reverse) {
            steps = Arrays.rows(input);
            in = Arrays.columns(input);
            r = weights.wHh().columns();
            this.reverse = reverse;
            x = Arrays.toFloats(input);
            wIh = Arrays.toFloats(weights.wIh().value());
            wHh = Arrays.toFloats(weights.wHh().value());
            float[] bIh = Arrays.toFloats(weights.bIh().value());
            float[] bHh = Arrays.toFloats(weights.bHh().value());
            gates = new double[steps][4 * r];
            cells = new double[steps][r];
            outputs = new double[steps][r];
            for (int s = 0; s < steps; s++) {
                step(s, bIh, bHh);
            }
        }

        /** The row of the input that step {@code s} reads. */
        private int row(int s) {
            return reverse ? steps - 1 - s : s;
        }

        private void step(int s, float[] bIh, float[] bHh) {
            double[] gate = gates[s];
            for (int k = 0; k < 4 * r; k++) {
                double sum = (double) bIh[k] + bHh[k];
                for (int j = 0; j < in; j++) {
                    sum += (double) x[row(s) * in + j] * wIh[k * in + j];
                }
                for (int j = 0; s > 0 && j < r; j++) {
                    sum += outputs[s - 1][j] * wHh[k * r + j];
                }
                gate[k] = k / r == 2 ? Math.tanh(sum) : 1 / (1 + Math.exp(-sum));
            }
            for (int j = 0; j < r; j++) {
                double before = s > 0 ? cells[s - 1][j] : 0;
                cells[s][j] = gate[r + j] * before + gate[j] * gate[2 * r + j];
                outputs[s][j] = gate[3 * r + j] * Math.tanh(cells[s][j]);
            }
        }

        /** Writes the outputs into [T, 2R], from a column on. */
        void put(float[] values, int column) {
            for (int s = 0; s < steps; s++) {
                for (int j = 0; j < r; j++) {
                    values[row(s) * 2 * r + column + j] = (float) outputs[s][j];
                }
            }
        }

        /** Adds the weights' gradients; gives that of the input. */
        double[] back(float[] dy, int column, Direction weights) {
            double[] dx = new double[x.length];
            double[] dwIh = new double[wIh.length];
            double[] dwHh = new double[wHh.length];
            double[] db = new double[4 * r];
            double[] dh = new double[r];
            double[] dc = new double[r];
            for (int s = steps - 1; s >= 0; s--) {
                for (int j = 0; j < r; j++) {
                    dh[j] += dy[row(s) * 2 * r + column + j];
                }
                double[] dGate = gateGradients(s, dh, dc);
                dh = new double[r];
                for (int k = 0; k < 4 * r; k++) {
                    db[k] += dGate[k];
                    for (int j = 0; j < in; j++) {
                        dwIh[k * in + j] += dGate[k] * x[row(s) * in + j];
                        dx[row(s) * in + j] += dGate[k] * wIh[k * in + j];
                    }
                    for (int j = 0; s > 0 && j < r; j++) {
                        dwHh[k * r + j] += dGate[k] * outputs[s - 1][j];
                        dh[j] += dGate[k] * wHh[k * r + j];
                    }
                }
            }
            weights.wIh().addGradient((d, accumulate) -> HeapRows.write(d, dwIh, accumulate));
            weights.wHh().addGradient((d, accumulate) -> HeapRows.write(d, dwHh, accumulate));
            weights.bIh().addGradient((d, accumulate) -> HeapRows.write(d, db, accumulate));
            weights.bHh().addGradient((d, accumulate) -> HeapRows.write(d, db, accumulate));
            return dx;
        }

        /** Of the sums before the gates' functions; leaves in {@code dc} the gradient of the cell before. */
        private double[] gateGradients(int s, double[] dh, double[] dc) {
            double[] gate = gates[s];
            double[] dGate = new double[4 * r];
            for (int j = 0; j < r; j++) {
                double input = gate[j];
                double forget = gate[r + j];
                double update = gate[2 * r + j];
                double output = gate[3 * r + j];
                double tanh = Math.tanh(cells[s][j]);
                dc[j] += dh[j] * output * (1 - tanh * tanh);
                dGate[j] = dc[j] * update * input * (1 - input);
                dGate[r + j] = dc[j] * (s > 0 ? cells[s - 1][j] : 0) * forget * (1 - forget);
                dGate[2 * r + j] = dc[j] * input * (1 - update * update);
                dGate[3 * r + j] = dh[j] * tanh * output * (1 - output);
                dc[j] *= forget;
            }
            return dGate;
        }
    }
}
