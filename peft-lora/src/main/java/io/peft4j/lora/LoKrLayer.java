package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoKr on a linear layer (<a href="https://arxiv.org/abs/2309.14859">2309.14859</a>): {@code D = s * (W1 x W2)}, the
 * Kronecker product, {@code y = base(x) + x D^T}: W1 [a, c], W2 [b, d], {@code out = a b}, {@code in = c d},
 * {@code a <= b}, {@code c <= d}. A factor [m, n] is a product [m, r] [r, n] where {@code r < max(m, n) / 2}, W1 only
 * if {@code decompose_both} is on. {@code a c + b d} parameters where both are whole.
 */
final class LoKrLayer extends LycorisLayer {
    private final float scaling;
    private final List<AdapterTensor> first;
    private final List<AdapterTensor> second;

    LoKrLayer(AdapterSetup setup, Slot slot, LoKrConfig config, int rank, double alpha) {
        super(setup, slot, config.rankDropout(), config.moduleDropout(), config.rankDropoutScale());
        Linear linear = linear();
        int[] out = factors(linear.outFeatures(), config.decomposeFactor());
        int[] in = factors(linear.inFeatures(), config.decomposeFactor());
        LoKrConfig.Initialization start = config.initialization();
        this.scaling = (float) (alpha / rank);
        boolean split = config.decomposeBoth() && rank < Math.max(out[0], in[0]) / 2.0;
        // Of a product the first factor is zero in W1 and the second in W2, as in PEFT.
        this.first = factor(setup, slot, "lokr_w1", out[0], in[0], split ? rank : 0,
                start == LoKrConfig.Initialization.ZERO_W1, true);
        this.second = factor(setup, slot, "lokr_w2", out[1], in[1],
                rank < Math.max(out[1], in[1]) / 2.0 ? rank : 0, start == LoKrConfig.Initialization.ZERO_W2, false);
    }

    private static List<AdapterTensor> factor(AdapterSetup setup, Slot slot, String name, int rows, int columns,
            int rank, boolean zero, boolean zeroIsFirst) {
        if (rank == 0) {
            return List.of(setup.tensor(slot, name, zero ? Initializer.ZEROS : Initializer.linear(columns), rows,
                    columns));
        }
        return List.of(
                setup.tensor(slot, name + "_a", zero && zeroIsFirst ? Initializer.ZEROS : Initializer.linear(rank),
                        rows, rank),
                setup.tensor(slot, name + "_b", zero && !zeroIsFirst ? Initializer.ZEROS
                        : Initializer.linear(columns), rank, columns));
    }

    /**
     * Two factors m, n of a size with m at most n: {@code factor} itself where it divides the size, otherwise as close
     * to each other as {@code m <= factor} allows, and -1 means without that bound.
     */
    static int[] factors(int size, int factor) {
        if (factor > 0 && size % factor == 0) {
            int other = size / factor;
            return new int[] {factor, other};
        }
        int bound = factor == -1 ? size : factor;
        int m = 1;
        for (int next = 2; next <= bound && (long) next * next <= size; next++) {
            if (size % next == 0) {
                m = next;
            }
        }
        return new int[] {m, size / m};
    }

    @Override
    public List<AdapterTensor> tensors() {
        List<AdapterTensor> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    @Override
    protected Variable delta(Tape tape) {
        return Kronecker.product(tape, whole(tape, first), whole(tape, second), scaling);
    }

    private static Variable whole(Tape tape, List<AdapterTensor> factor) {
        Variable left = tape.parameter(factor.get(0).parameter());
        return factor.size() == 1 ? left
                : MatrixOps.product(tape, left, false, tape.parameter(factor.get(1).parameter()), false);
    }

    /** The Kronecker product on a tape. */
    static final class Kronecker {
        private Kronecker() {
        }

        /**
         * {@code D[i p + k][j q + l] = scale * u[i][j] * v[k][l]}: u [a, c], v [p, q], D [a p, c q]. Gradients: {@code
         * du[i][j] = scale * sum over k, l of dD[i p + k][j q + l] * v[k][l]}, and so for v. Sums in double; each
         * thread has rows of its own.
         */
        static Variable product(Tape tape, Variable u, Variable v, float scale) {
            Consumer<INDArray> forward = result -> multiply(u.value(), v.value(), scale, result);
            INDArray result = tape.allocateFloat((long) u.rows() * v.rows(), (long) u.columns() * v.columns());
            forward.accept(result);
            return tape.recordRecomputable(result, forward, (out, dy) -> {
                u.addGradient((du, accumulate) -> gradientOfFirst(dy, v.value(), scale, du, accumulate));
                v.addGradient((dv, accumulate) -> gradientOfSecond(dy, u.value(), scale, dv, accumulate));
            }, List.of(u, v));
        }

        private static void multiply(INDArray u, INDArray v, float scale, INDArray result) {
            float[] us = Arrays.toFloats(u);
            float[] vs = Arrays.toFloats(v);
            int c = Arrays.columns(u);
            int p = Arrays.rows(v);
            int q = Arrays.columns(v);
            IntStream.range(0, Arrays.rows(result)).parallel().forEach(row -> {
                float[] values = new float[c * q];
                for (int j = 0; j < c; j++) {
                    float factor = scale * us[row / p * c + j];
                    for (int l = 0; l < q; l++) {
                        values[j * q + l] = factor * vs[row % p * q + l];
                    }
                }
                Arrays.write(result, (long) row * values.length, values, 0, values.length);
            });
        }

        private static void gradientOfFirst(INDArray dy, INDArray v, float scale, INDArray du, boolean accumulate) {
            float[] vs = Arrays.toFloats(v);
            double[] result = new double[(int) du.length()];
            int c = Arrays.columns(du);
            int p = Arrays.rows(v);
            int q = Arrays.columns(v);
            IntStream.range(0, Arrays.rows(du)).parallel().forEach(i -> {
                float[] values = new float[c * q];
                double[] sums = new double[c];
                for (int k = 0; k < p; k++) {
                    Arrays.read(dy, (long) (i * p + k) * values.length, values, 0, values.length);
                    for (int j = 0; j < c; j++) {
                        for (int l = 0; l < q; l++) {
                            sums[j] += (double) values[j * q + l] * vs[k * q + l];
                        }
                    }
                }
                for (int j = 0; j < c; j++) {
                    result[i * c + j] = scale * sums[j];
                }
            });
            HeapRows.write(du, result, accumulate);
        }

        private static void gradientOfSecond(INDArray dy, INDArray u, float scale, INDArray dv, boolean accumulate) {
            float[] us = Arrays.toFloats(u);
            double[] result = new double[(int) dv.length()];
            int c = Arrays.columns(u);
            int p = Arrays.rows(dv);
            int q = Arrays.columns(dv);
            IntStream.range(0, p).parallel().forEach(k -> {
                float[] values = new float[c * q];
                double[] sums = new double[q];
                for (int i = 0; i < us.length / c; i++) {
                    Arrays.read(dy, (long) (i * p + k) * values.length, values, 0, values.length);
                    for (int j = 0; j < c; j++) {
                        for (int l = 0; l < q; l++) {
                            sums[l] += (double) values[j * q + l] * us[i * c + j];
                        }
                    }
                }
                for (int l = 0; l < q; l++) {
                    result[k * q + l] = scale * sums[l];
                }
            });
            HeapRows.write(dv, result, accumulate);
        }
    }
}
