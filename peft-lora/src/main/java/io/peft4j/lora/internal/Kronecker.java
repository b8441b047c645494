package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The Kronecker product on a tape. */
final class Kronecker {
    private Kronecker() {
    }

    /**
     * {@code D[i p + k][j q + l] = scale * u[i][j] * v[k][l]}: u [a, c], v [p, q], D [a p, c q]. Gradients:
     * {@code du[i][j] = scale * sum over k, l of dD[i p + k][j q + l] * v[k][l]}, and so for v. Sums in double; each
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
