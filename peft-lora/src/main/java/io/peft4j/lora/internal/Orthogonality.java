package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;

/**
 * The distance of the rows of A, or the columns of B, from being orthonormal: {@code |C|}, {@code C = A A^T - I} or
 * {@code B^T B - I}, in the Frobenius norm. Gradients: {@code 2 C A / |C|} and {@code 2 B C / |C|}.
 */
final class Orthogonality {
    private Orthogonality() {
    }

    /** Adds {@code weight} times the gradient to that of the parameter, and gives {@code weight} times the distance. */
    static double addGradient(Parameter parameter, boolean rows, double weight) {
        float[] values = Arrays.toFloats(parameter.value());
        int height = Arrays.rows(parameter.value());
        int width = Arrays.columns(parameter.value());
        int count = rows ? height : width;
        int length = rows ? width : height;
        // Element j of vector i stands at i * step + j * stride.
        int step = rows ? width : 1;
        int stride = rows ? 1 : width;
        double[] c = new double[count * count];
        double squares = 0;
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < count; k++) {
                double sum = i == k ? -1 : 0;
                for (int j = 0; j < length; j++) {
                    sum += (double) values[i * step + j * stride] * values[k * step + j * stride];
                }
                c[i * count + k] = sum;
                squares += sum * sum;
            }
        }
        double norm = Math.sqrt(squares);
        if (norm > 0) {
            float[] gradient = Arrays.toFloats(parameter.gradient());
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < length; j++) {
                    double sum = 0;
                    for (int k = 0; k < count; k++) {
                        sum += c[i * count + k] * values[k * step + j * stride];
                    }
                    int index = i * step + j * stride;
                    gradient[index] = (float) (gradient[index] + weight * 2 * sum / norm);
                }
            }
            Arrays.write(parameter.gradient(), 0, gradient, 0, gradient.length);
        }
        return weight * norm;
    }
}
