package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A matrix whose elements are single parameters times a factor: {@code D[place(i)] = factor * p[source(i)]} for each i,
 * sums where places repeat. Gradient: {@code dp[source(i)] += factor * dD[place(i)]}.
 *
 * @param rows out
 * @param columns in
 * @param count the number of i
 * @param place place of D, row by row
 * @param source number of a parameter
 * @param factor the factor
 */
record ScatteredDelta(int rows, int columns, int count, IntUnaryOperator place, IntUnaryOperator source,
        double factor) implements ParameterDelta.Delta {
    @Override
    public Variable on(Tape tape, Variable parameters) {
        INDArray d = tape.allocateFloat(rows, columns);
        float[] p = Arrays.toFloats(parameters.value());
        float[] values = new float[rows * columns];
        for (int i = 0; i < count; i++) {
            values[place.applyAsInt(i)] += (float) (factor * p[source.applyAsInt(i)]);
        }
        Arrays.write(d, 0, values, 0, values.length);
        return tape.record(d, (out, dy) -> parameters.addGradient((gradient, accumulate) -> {
            float[] dys = Arrays.toFloats(dy);
            double[] sums = new double[Math.toIntExact(gradient.length())];
            for (int i = 0; i < count; i++) {
                sums[source.applyAsInt(i)] += factor * dys[place.applyAsInt(i)];
            }
            HeapRows.write(gradient, sums, accumulate);
        }), List.of(parameters));
    }
}
