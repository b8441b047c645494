package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** RandLoRA's trained copies of one frozen matrix, on a tape. */
final class ScaledBases {
    private ScaledBases() {
    }

    /**
     * {@code U[i n + j][m] = lambda[i][j] * a[i][m] * gamma[j][m]}: lambda [r, n], a [r, M], gamma [n, M], U [r n, M].
     * Gradients: {@code dlambda[i][j] = sum over m of dU[i n + j][m] * a[i][m] * gamma[j][m]},
     * {@code dgamma[j][m] = sum over i of dU[i n + j][m] * a[i][m] * lambda[i][j]}.
     */
    static Variable of(Tape tape, INDArray a, Variable lambda, Variable gamma) {
        Consumer<INDArray> forward = result -> compute(a, lambda.value(), gamma.value(), result);
        INDArray result = tape.allocateFloat(lambda.value().length(), a.size(1));
        forward.accept(result);
        return tape.recordRecomputable(result, forward, (out, dy) -> {
            lambda.addGradient((dl, accumulate) -> gradientOfLambda(dy, a, gamma.value(), dl, accumulate));
            gamma.addGradient((dg, accumulate) -> gradientOfGamma(dy, a, lambda.value(), dg, accumulate));
        }, List.of(lambda, gamma));
    }

    private static void compute(INDArray a, INDArray lambda, INDArray gamma, INDArray result) {
        float[] as = Arrays.toFloats(a);
        float[] ls = Arrays.toFloats(lambda);
        float[] gs = Arrays.toFloats(gamma);
        int bases = Arrays.columns(lambda);
        int width = Arrays.columns(a);
        IntStream.range(0, ls.length).parallel().forEach(row -> {
            float[] values = new float[width];
            int i = row / bases;
            int j = row % bases;
            for (int m = 0; m < width; m++) {
                values[m] = ls[row] * as[i * width + m] * gs[j * width + m];
            }
            Arrays.write(result, (long) row * width, values, 0, width);
        });
    }

    private static void gradientOfLambda(INDArray dy, INDArray a, INDArray gamma, INDArray dl, boolean accumulate) {
        float[] as = Arrays.toFloats(a);
        float[] gs = Arrays.toFloats(gamma);
        double[] result = new double[(int) dl.length()];
        int bases = Arrays.columns(dl);
        int width = Arrays.columns(a);
        IntStream.range(0, result.length).parallel().forEach(row -> {
            float[] values = new float[width];
            Arrays.read(dy, (long) row * width, values, 0, width);
            int i = row / bases;
            int j = row % bases;
            for (int m = 0; m < width; m++) {
                result[row] += (double) values[m] * as[i * width + m] * gs[j * width + m];
            }
        });
        HeapRows.write(dl, result, accumulate);
    }

    private static void gradientOfGamma(INDArray dy, INDArray a, INDArray lambda, INDArray dg, boolean accumulate) {
        float[] as = Arrays.toFloats(a);
        float[] ls = Arrays.toFloats(lambda);
        double[] result = new double[(int) dg.length()];
        int bases = Arrays.columns(lambda);
        int width = Arrays.columns(a);
        IntStream.range(0, bases).parallel().forEach(j -> {
            float[] values = new float[width];
            for (int i = 0; i < Arrays.rows(lambda); i++) {
                Arrays.read(dy, (long) (i * bases + j) * width, values, 0, width);
                for (int m = 0; m < width; m++) {
                    result[j * width + m] += (double) values[m] * as[i * width + m] * ls[i * bases + j];
                }
            }
        });
        HeapRows.write(dg, result, accumulate);
    }
}
