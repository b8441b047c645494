package io.peft4j.methods.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The real part of an inverse two-dimensional Fourier transform of few coefficients c_f at the frequencies (u_f, v_f):
 * {@code D[p, q] = s / (M N) * sum over f of c_f cos(2 pi (u_f p / M + v_f q / N))}, D [M, N].
 *
 * <p>With {@code cos(a + b) = cos a cos b - sin a sin b} it is {@code E - O}, E even and O odd in p and in q, so that a
 * quarter of each says it all: the sum over all f that share u, or M - u, is taken first ("inner", Z [K, N / 2 + 1]
 * over the K different ones), then a product of matrices gives the quarter. The shorter side has the shared numbers.
 * Gradients go the same way back.
 */
final class FourierDelta implements ParameterDelta.Delta {
    private final int rows;
    private final int columns;
    private final double factor;
    /** Whether the row numbers are shared; else those of the columns. */
    private final boolean byRow;
    /** The different shared numbers up to half of their side, ascending. */
    private final int[] shared;
    /** For each shared number its coefficients. */
    private final int[][] members;
    /** For each coefficient its other number, and whether its shared one is beyond the half. */
    private final int[] other;
    private final boolean[] folded;

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
        int[] chosen = IntStream.of(places).map(place -> byRow ? place / columns : place % columns).toArray();
        this.other = IntStream.of(places).map(place -> byRow ? place % columns : place / columns).toArray();
        int length = sharedLength();
        this.folded = new boolean[places.length];
        SortedMap<Integer, List<Integer>> groups = new TreeMap<>();
        for (int f = 0; f < chosen.length; f++) {
            folded[f] = 2 * chosen[f] > length;
            groups.computeIfAbsent(folded[f] ? length - chosen[f] : chosen[f], k -> new ArrayList<>()).add(f);
        }
        this.shared = groups.keySet().stream().mapToInt(number -> number).toArray();
        this.members = groups.values().stream().map(own -> own.stream().mapToInt(f -> f).toArray())
                .toArray(int[][]::new);
    }

    private int sharedLength() {
        return byRow ? rows : columns;
    }

    private int otherLength() {
        return byRow ? columns : rows;
    }

    private static int half(int length) {
        return length / 2 + 1;
    }

    @Override
    public Variable on(Tape tape, Variable parameters) {
        Kernels kernels = tape.kernels();
        float[] coefficients = Arrays.toFloats(parameters.value());
        float[][] quarters = new float[2][];
        for (int part = 0; part < 2; part++) {
            INDArray waves = waves(tape, part == 1);
            INDArray z = tape.allocateFloat(shared.length, half(otherLength()));
            Arrays.write(z, 0, inner(coefficients, part == 1), 0, Math.toIntExact(z.length()));
            INDArray quarter = tape.allocateFloat(half(sharedLength()), half(otherLength()));
            kernels.matmul(waves, true, z, false, quarter, 1f, false);
            quarters[part] = Arrays.toFloats(quarter);
            List.of(waves, z, quarter).forEach(tape.arena()::free);
        }
        INDArray d = tape.allocateFloat(rows, columns);
        HeapRows.forPieces(rows, (piece, from, count) -> HeapRows.write(d, from, unfolded(quarters, from, count),
                false));
        return tape.record(d, (out, dy) -> parameters.addGradient((gradient, accumulate) -> {
            float[][] folds = folds(Arrays.toFloats(dy));
            double[] sums = new double[coefficients.length];
            for (int part = 0; part < 2; part++) {
                INDArray waves = waves(tape, part == 1);
                INDArray fold = tape.allocateFloat(half(sharedLength()), half(otherLength()));
                Arrays.write(fold, 0, folds[part], 0, folds[part].length);
                INDArray z = tape.allocateFloat(shared.length, half(otherLength()));
                kernels.matmul(waves, false, fold, false, z, 1f, false);
                addGradients(Arrays.toFloats(z), part == 1, sums);
                List.of(waves, fold, z).forEach(tape.arena()::free);
            }
            HeapRows.write(gradient, sums, accumulate);
        }), List.of(parameters));
    }

    /** Some rows of D: E - O where both numbers are in one half of their sides, or both in the other, else E + O. */
    private float[] unfolded(float[][] quarters, int from, int count) {
        float[] values = new float[count * columns];
        for (int i = 0; i < count; i++) {
            for (int q = 0; q < columns; q++) {
                int place = place(from + i, q);
                values[i * columns + q] = isMirrored(from + i, q) ? quarters[0][place] + quarters[1][place]
                        : quarters[0][place] - quarters[1][place];
            }
        }
        return values;
    }

    /** The gradients of both quarters. */
    private float[][] folds(float[] dy) {
        float[][] folds = new float[2][half(sharedLength()) * half(otherLength())];
        for (int p = 0; p < rows; p++) {
            for (int q = 0; q < columns; q++) {
                int place = place(p, q);
                float g = dy[p * columns + q];
                folds[0][place] += g;
                folds[1][place] += isMirrored(p, q) ? g : -g;
            }
        }
        return folds;
    }

    private int place(int p, int q) {
        int row = 2 * p > rows ? rows - p : p;
        int column = 2 * q > columns ? columns - q : q;
        return byRow ? row * half(columns) + column : column * half(rows) + row;
    }

    private boolean isMirrored(int p, int q) {
        return 2 * p > rows ^ 2 * q > columns;
    }

    /** Cosines or sines of the shared numbers, [K, length / 2 + 1]. */
    private INDArray waves(Tape tape, boolean sine) {
        int length = sharedLength();
        int half = half(length);
        double[] table = table(length, sine);
        float[] values = new float[shared.length * half];
        for (int k = 0; k < shared.length; k++) {
            for (int p = 0, at = 0; p < half; p++, at = next(at, shared[k], length)) {
                values[k * half + p] = (float) table[at];
            }
        }
        INDArray waves = tape.allocateFloat(shared.length, half);
        Arrays.write(waves, 0, values, 0, values.length);
        return waves;
    }

    private static int next(int at, int step, int length) {
        return at + step < length ? at + step : at + step - length;
    }

    /** One turn. */
    private static double[] table(int length, boolean sine) {
        return IntStream.range(0, length).mapToDouble(i -> 2 * Math.PI * i / length)
                .map(angle -> sine ? Math.sin(angle) : Math.cos(angle)).toArray();
    }

    /** The sums over coefficients that share a number, with cosines or sines of their other numbers. */
    private float[] inner(float[] coefficients, boolean sine) {
        int length = otherLength();
        int half = half(length);
        double[] table = table(length, sine);
        float[] result = new float[shared.length * half];
        IntStream.range(0, shared.length).parallel().forEach(k -> {
            double[] sums = new double[half];
            for (int f : members[k]) {
                double c = signed(f, sine) * coefficients[f];
                for (int q = 0, at = 0; q < half; q++, at = next(at, other[f], length)) {
                    sums[q] += c * table[at];
                }
            }
            for (int q = 0; q < half; q++) {
                result[k * half + q] = (float) sums[q];
            }
        });
        return result;
    }

    /** The factor, negative for the sines of a shared number beyond the half. */
    private double signed(int f, boolean sine) {
        return sine && folded[f] ? -factor : factor;
    }

    private void addGradients(float[] z, boolean sine, double[] sums) {
        int length = otherLength();
        int half = half(length);
        double[] table = table(length, sine);
        IntStream.range(0, shared.length).parallel().forEach(k -> {
            for (int f : members[k]) {
                double sum = 0;
                for (int q = 0, at = 0; q < half; q++, at = next(at, other[f], length)) {
                    sum += z[k * half + q] * table[at];
                }
                sums[f] += signed(f, sine) * sum;
            }
        });
    }
}
