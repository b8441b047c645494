package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The real part of an inverse two-dimensional Fourier transform of few coefficients c_f at the frequencies (u_f, v_f):
 * {@code D[p, q] = s / (M N) * sum over f of c_f cos(2 pi (u_f p / M + v_f q / N))}, D [M, N].
 *
 * <p>With {@code cos(a + b) = cos a cos b - sin a sin b} the sum over all f that share one of the two numbers is taken
 * first ("inner", Z [K, N] over the K different u), then two products of matrices give D. The shorter side has the
 * shared numbers. Gradients go the same way back.
 */
final class FourierDelta implements ParameterDelta.Delta {
    private final int rows;
    private final int columns;
    private final double factor;
    /** Whether the row numbers are shared; else those of the columns. */
    private final boolean byRow;
    /** The different shared numbers, ascending. */
    private final int[] shared;
    /** For each coefficient the place of its shared number, and its other number. */
    private final int[] group;
    private final int[] other;

    /**
     * A transform.
     *
     * @param places {@code u_f N + v_f} of each coefficient
     * @param scaling s
     */
    FourierDelta(int rows, int columns, int[] places, double scaling) {
        this.rows = rows;
        this.columns = columns;
        this.factor = scaling / ((double) rows * columns);
        this.byRow = rows <= columns;
        int[] u = IntStream.of(places).map(place -> place / columns).toArray();
        int[] v = IntStream.of(places).map(place -> place % columns).toArray();
        int[] chosen = byRow ? u : v;
        this.other = byRow ? v : u;
        this.shared = IntStream.of(chosen).sorted().distinct().toArray();
        this.group = IntStream.of(chosen).map(number -> java.util.Arrays.binarySearch(shared, number)).toArray();
    }

    private int sharedLength() {
        return byRow ? rows : columns;
    }

    private int otherLength() {
        return byRow ? columns : rows;
    }

    @Override
    public Variable on(Tape tape, Variable parameters) {
        Kernels kernels = tape.kernels();
        INDArray[] waves = {waves(tape, false), waves(tape, true)};
        float[][] inner = inner(Arrays.toFloats(parameters.value()));
        INDArray d = tape.allocateFloat(rows, columns);
        for (int part = 0; part < 2; part++) {
            INDArray z = tape.allocateFloat(shared.length, otherLength());
            Arrays.write(z, 0, inner[part], 0, inner[part].length);
            float sign = part == 0 ? 1 : -1;
            if (byRow) {
                kernels.matmul(waves[part], true, z, false, d, sign, part > 0);
            } else {
                kernels.matmul(z, true, waves[part], false, d, sign, part > 0);
            }
            tape.arena().free(z);
        }
        return tape.record(d, (out, dy) -> parameters.addGradient((gradient, accumulate) -> {
            float[][] back = new float[2][];
            for (int part = 0; part < 2; part++) {
                INDArray z = tape.allocateFloat(shared.length, otherLength());
                kernels.matmul(waves[part], false, dy, !byRow, z, 1f, false);
                back[part] = Arrays.toFloats(z);
                tape.arena().free(z);
            }
            HeapRows.write(gradient, gradients(back), accumulate);
        }), List.of(parameters), waves);
    }

    /** Cosines or sines of the shared numbers, [K, length]. */
    private INDArray waves(Tape tape, boolean sine) {
        INDArray waves = tape.allocateFloat(shared.length, sharedLength());
        float[] values = waveValues(sine);
        Arrays.write(waves, 0, values, 0, values.length);
        return waves;
    }

    private float[] waveValues(boolean sine) {
        int length = sharedLength();
        double[] table = table(length, sine);
        float[] values = new float[shared.length * length];
        for (int k = 0; k < shared.length; k++) {
            for (int p = 0; p < length; p++) {
                values[k * length + p] = (float) table[(int) ((long) shared[k] * p % length)];
            }
        }
        return values;
    }

    /** One turn. */
    private static double[] table(int length, boolean sine) {
        return IntStream.range(0, length).mapToDouble(i -> 2 * Math.PI * i / length)
                .map(angle -> sine ? Math.sin(angle) : Math.cos(angle)).toArray();
    }

    /** The sums over coefficients that share a number, with cosines and with sines of their other numbers. */
    private float[][] inner(float[] coefficients) {
        int length = otherLength();
        float[][] result = new float[2][];
        for (int part = 0; part < 2; part++) {
            double[] table = table(length, part == 1);
            double[] sums = new double[shared.length * length];
            for (int f = 0; f < coefficients.length; f++) {
                double c = factor * coefficients[f];
                for (int q = 0; q < length; q++) {
                    sums[group[f] * length + q] += c * table[(int) ((long) other[f] * q % length)];
                }
            }
            result[part] = Arrays.floats(sums);
        }
        return result;
    }

    private double[] gradients(float[][] back) {
        int length = otherLength();
        double[] result = new double[group.length];
        for (int part = 0; part < 2; part++) {
            double[] table = table(length, part == 1);
            for (int f = 0; f < result.length; f++) {
                double sum = 0;
                for (int q = 0; q < length; q++) {
                    sum += back[part][group[f] * length + q] * table[(int) ((long) other[f] * q % length)];
                }
                result[f] += (part == 0 ? factor : -factor) * sum;
            }
        }
        return result;
    }
}
