package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.peft.method.CachedValue;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Blocks of rotations on a tape: from parameters to D matrices [b, b], one below the other as a matrix [D b, b].
 *
 * @param size b
 * @param entries parameters of a block
 * @param skew the skew-symmetric matrix of a block's parameters
 * @param skewGradient the gradient of the parameters from that of the matrix
 * @param rotation the rotation of a skew-symmetric matrix
 * @param rotationGradient the gradient of the matrix from it and that of the rotation
 */
record Rotations(int size, int entries, UnaryOperator<double[]> skew, UnaryOperator<double[]> skewGradient,
        UnaryOperator<double[]> rotation, BiFunction<double[], double[], double[]> rotationGradient) {
    /** Parameters are the elements above the diagonal, row by row. */
    static Rotations fromTriangle(int b, UnaryOperator<double[]> rotation,
            BiFunction<double[], double[], double[]> gradient) {
        return new Rotations(b, b * (b - 1) / 2, vector -> skewOfTriangle(vector, b),
                dS -> triangleGradient(dS, b), rotation, gradient);
    }

    /** Parameters are a whole matrix A, of which {@code (A - A^T) / 2} is taken. */
    static Rotations fromSquare(int b, UnaryOperator<double[]> rotation,
            BiFunction<double[], double[], double[]> gradient) {
        UnaryOperator<double[]> half = a -> {
            double[] transposed = Cayley.transposed(a, b);
            return IntStream.range(0, a.length).mapToDouble(i -> (a[i] - transposed[i]) / 2).toArray();
        };
        return new Rotations(b, b * b, half, half, rotation, gradient);
    }

    private static double[] skewOfTriangle(double[] vector, int b) {
        double[] s = new double[b * b];
        int next = 0;
        for (int i = 0; i < b; i++) {
            for (int j = i + 1; j < b; j++) {
                s[i * b + j] = vector[next];
                s[j * b + i] = -vector[next++];
            }
        }
        return s;
    }

    private static double[] triangleGradient(double[] dS, int b) {
        double[] gradient = new double[b * (b - 1) / 2];
        int next = 0;
        for (int i = 0; i < b; i++) {
            for (int j = i + 1; j < b; j++) {
                gradient[next++] = dS[i * b + j] - dS[j * b + i];
            }
        }
        return gradient;
    }

    /**
     * The rotations.
     *
     * @param parameters D x {@link #entries} elements
     * @param remembered those of the last pass, where this one does not train
     * @param replaced blocks that are the identity in this pass, and so get no gradient
     */
    Variable on(Tape tape, Variable parameters, Optional<CachedValue> remembered, IntPredicate replaced) {
        int blocks = Math.toIntExact(parameters.value().length() / entries);
        INDArray y = tape.allocateFloat((long) blocks * size, size);
        float[] values = remembered.map(last -> last.of(parameters.value(), () -> values(parameters.value(), replaced)))
                .orElseGet(() -> values(parameters.value(), replaced));
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> parameters.addGradient((d, accumulate) -> {
            float[] g = Arrays.toFloats(dy);
            float[] all = Arrays.toFloats(parameters.value());
            double[] sums = new double[all.length];
            IntStream.range(0, blocks).parallel().filter(block -> !replaced.test(block)).forEach(block -> {
                double[] s = skew.apply(doubles(all, block * entries, entries));
                double[] gradient = skewGradient.apply(
                        rotationGradient.apply(s, doubles(g, block * size * size, size * size)));
                System.arraycopy(gradient, 0, sums, block * entries, entries);
            });
            HeapRows.write(d, sums, accumulate);
        }), List.of(parameters));
    }

    /** The rotations of given parameters, rounded. */
    float[] values(INDArray parameters, IntPredicate replaced) {
        float[] all = Arrays.toFloats(parameters);
        int blocks = all.length / entries;
        float[] values = new float[blocks * size * size];
        IntStream.range(0, blocks).parallel().forEach(block -> {
            double[] parameter = replaced.test(block) ? new double[entries] : doubles(all, block * entries, entries);
            double[] r = rotation.apply(skew.apply(parameter));
            for (int i = 0; i < r.length; i++) {
                values[block * r.length + i] = (float) r[i];
            }
        });
        return values;
    }

    private static double[] doubles(float[] values, int from, int count) {
        return IntStream.range(from, from + count).mapToDouble(i -> values[i]).toArray();
    }
}
