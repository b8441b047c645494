package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The portable kernels against the naive ones. */
class Nd4jKernelsTest extends KernelsContract {
    @Override
    protected Kernels create(int threads) {
        return new Nd4jKernels(threads);
    }

    @Test
    void resultsDoNotDependOnTheNumberOfThreads() {
        List<float[]> one = run(1);
        for (int threads : new int[] {2, 3, 7}) {
            List<float[]> many = run(threads);
            for (int i = 0; i < one.size(); i++) {
                assertArrayEquals(one.get(i), many.get(i), "array " + i + " with " + threads + " threads");
            }
        }
    }

    /** A bit of everything that is cut into parts, from arrays that are the same in every run. */
    private static List<float[]> run(int threads) {
        Random random = new Random(3);
        List<INDArray> results = new ArrayList<>();
        AttentionLayout layout = AttentionLayout.packed(150, 80, 70);
        AttentionShape shape = new AttentionShape(6, 2, 32, 0.2f);
        try (Kernels kernels = new Nd4jKernels(threads)) {
            INDArray x = normal(random, 300, 192);
            FrozenWeight w = new DenseWeight(normal(random, 600, 192));
            INDArray y = normal(random, 300, 600);
            kernels.linear(x, w, y, false);
            kernels.linearBackward(y, w, x, true);
            results.add(y);
            INDArray k = normal(random, 300, 64);
            INDArray v = normal(random, 300, 64);
            INDArray out = normal(random, 300, 192);
            INDArray lse = normal(random, 300, 6);
            kernels.attention(x, k, v, layout, shape, out, lse);
            INDArray dq = normal(random, 300, 192);
            INDArray dk = normal(random, 300, 64);
            INDArray dv = normal(random, 300, 64);
            kernels.attentionBackward(x, out, k, v, out, lse, layout, shape, dq, dk, dv);
            results.addAll(List.of(x, out, lse, dq, dk, dv));
            INDArray r = normal(random, 300);
            INDArray weight = normal(random, 192);
            INDArray dw = normal(random, 192);
            kernels.rmsNorm(x, weight, 1e-5f, out, r);
            kernels.rmsNormWeightBackward(x, out, r, dw);
            results.addAll(List.of(r, dw));
            INDArray db = normal(random, 600);
            kernels.addBiasBackward(y, db, false);
            int[] rows = random.ints(900, 0, 300).toArray();
            kernels.gatherRowsBackward(normal(random, 900, 600), rows, y);
            results.addAll(List.of(db, Arrays.of(new float[] {(float) kernels.sumOfSquares(y)}, 1)));
        }
        return results.stream().map(Arrays::toFloats).toList();
    }

    private static INDArray normal(Random random, long... shape) {
        INDArray array = Arrays.zeros(DataType.FLOAT, shape);
        KernelCase.fill(array, random, 0.1);
        return array;
    }
}
