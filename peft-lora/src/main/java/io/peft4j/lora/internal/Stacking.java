package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Trained matrices with frozen ones beside them, on a tape. */
final class Stacking {
    private Stacking() {
    }

    /** x [m, k] with frozen rows below it: [m + n, k]. */
    static Variable rows(Tape tape, Variable x, INDArray below) {
        int k = x.columns();
        int length = x.rows() * k;
        INDArray result = tape.allocateFloat(x.rows() + below.size(0), k);
        copy(x.value(), 0, result, 0, length);
        copy(below, 0, result, length, Math.toIntExact(below.length()));
        return tape.record(result, (out, dy) -> x.addGradient((dx, accumulate) -> {
            float[] gradient = new float[length];
            Arrays.read(dy, 0, gradient, 0, length);
            HeapRows.write(dx, gradient, accumulate);
        }), List.of(x));
    }

    /** x [m, k] with frozen columns to its right: [m, k + n]. */
    static Variable columns(Tape tape, Variable x, INDArray right) {
        int m = x.rows();
        int k = x.columns();
        int n = Arrays.columns(right);
        INDArray result = tape.allocateFloat(m, k + n);
        for (int i = 0; i < m; i++) {
            copy(x.value(), i * k, result, i * (k + n), k);
            copy(right, i * n, result, i * (k + n) + k, n);
        }
        return tape.record(result, (out, dy) -> x.addGradient((dx, accumulate) -> {
            float[] gradient = new float[m * k];
            for (int i = 0; i < m; i++) {
                Arrays.read(dy, (long) i * (k + n), gradient, i * k, k);
            }
            HeapRows.write(dx, gradient, accumulate);
        }), List.of(x));
    }

    private static void copy(INDArray from, int first, INDArray to, int target, int count) {
        float[] values = new float[count];
        Arrays.read(from, first, values, 0, count);
        Arrays.write(to, target, values, 0, count);
    }
}
