package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Cross-entropy, norms of gradients and the optimizer's update. */
interface LossContract extends KernelsUnderTest {
    @Test
    default void crossEntropy() {
        for (int[] s : new int[][] {{1, 1}, {1, 2}, {7, 13}, {129, 31}, {3, 49_152}, {5, 1031}}) {
            for (DataType type : TYPES) {
                for (double deviation : new double[] {1, 50}) {
                    try (KernelCase c = new KernelCase(this, "cross-entropy", s[0], s[1], type, deviation)) {
                        INDArray logits = c.scaled(type, deviation, s[0], s[1]);
                        int[] targets = c.indices(s[0], s[1]);
                        float[] weights = c.floats(s[0]);
                        c.compareWithValues(k -> {
                            float[] nll = new float[s[0]];
                            k.crossEntropy(logits, targets, nll);
                            return nll;
                        });
                        c.compare(k -> k.crossEntropyBackward(logits, targets, weights), logits);
                        INDArray others = c.scaled(type, deviation, s[0], s[1]);
                        c.compareWithValues(k -> {
                            float[] nll = new float[s[0]];
                            k.crossEntropyGradient(others, targets, weights, nll, new boolean[s[0]]);
                            return nll;
                        }, others);
                    }
                }
            }
        }
    }

    /** Of the first row the likeliest is the target. Its gradient is next to nothing, so no value is compared. */
    @Test
    default void targetsThatAreLikeliest() {
        for (int[] s : new int[][] {{1, 1}, {1, 2}, {7, 13}, {129, 31}, {3, 49_152}}) {
            for (DataType type : TYPES) {
                try (KernelCase c = new KernelCase(this, "likeliest", s[0], s[1], type)) {
                    INDArray logits = c.scaled(type, 50, s[0], s[1]);
                    int[] targets = c.indices(s[0], s[1]);
                    targets[0] = largest(Arrays.toFloats(logits), s[1]);
                    float[] weights = c.floats(s[0]);
                    float[] nll = new float[s[0]];
                    c.compareWithValues(k -> hits(hits -> k.crossEntropy(logits, targets, nll, hits), s[0]));
                    float[] before = Arrays.toFloats(logits);
                    c.compareWithValues(k -> {
                        Arrays.write(logits, 0, before, 0, before.length);
                        return hits(hits -> k.crossEntropyGradient(logits, targets, weights, nll, hits), s[0]);
                    });
                }
            }
        }
    }

    private static int largest(float[] x, int count) {
        return IntStream.range(0, count).reduce((best, i) -> x[i] > x[best] ? i : best).orElseThrow();
    }

    /** Hits as numbers, of which the first is 1. */
    private static float[] hits(Consumer<boolean[]> losses, int rows) {
        boolean[] hits = new boolean[rows];
        losses.accept(hits);
        assertTrue(hits[0]);
        float[] numbers = new float[rows];
        for (int i = 0; i < rows; i++) {
            numbers[i] = hits[i] ? 1 : 0;
        }
        return numbers;
    }

    /** Small terms count in the sum over a large vocabulary: one long sum in f32 is 5e-6 too low here on average. */
    @Test
    default void crossEntropyOverALargeVocabulary() {
        int rows = 8;
        int vocabulary = 151_936;
        try (KernelCase c = new KernelCase(this, "cross-entropy over a large vocabulary")) {
            INDArray logits = c.scaled(DataType.FLOAT, 3, rows, vocabulary);
            int[] targets = c.indices(rows, vocabulary);
            float[] x = Arrays.toFloats(logits);
            float[] nll = new float[rows];
            kernels().crossEntropy(logits, targets, nll);
            double difference = 0;
            for (int i = 0; i < rows; i++) {
                double sum = 0;
                for (int j = 0; j < vocabulary; j++) {
                    sum += Math.exp(x[i * vocabulary + j]);
                }
                difference += (nll[i] - (Math.log(sum) - x[i * vocabulary + targets[i]])) / rows;
            }
            // Values near 16 are rounded by up to 1e-6, a few times each, up or down.
            assertEquals(0, difference, 1e-6);
        }
    }

    @Test
    default void sumOfSquares() {
        for (int length : new int[] {1, 7, 1000, 4096, 100_003}) {
            for (DataType type : TYPES) {
                try (KernelCase c = new KernelCase(this, "sum of squares", length, type)) {
                    INDArray x = c.scaled(type, 1e-3, length);
                    double actual = kernels().sumOfSquares(x);
                    try (NaiveKernels naive = new NaiveKernels()) {
                        double expected = naive.sumOfSquares(x);
                        // Both sum in double; only the order of additions differs.
                        assertEquals(expected, actual, 1e-12 * expected);
                    }
                    assertEquals(actual, kernels().sumOfSquares(x), "the second run gave other bits");
                }
            }
        }
    }

    @Test
    default void adamW() {
        for (int length : new int[] {1, 7, 1000, 4096, 30_011}) {
            for (AdamWStep step : new AdamWStep[] {new AdamWStep(1, 1e-3, 0.9, 0.999, 1e-8, 0, 1),
                new AdamWStep(7, 2e-2, 0.8, 0.95, 1e-6, 0.1, 0.37),
                new AdamWStep(100_000, 1e-4, 0.9, 0.999, 1e-8, 0.01, 1)}) {
                try (KernelCase c = new KernelCase(this, "adamW", length, step)) {
                    INDArray parameter = c.normal(DataType.FLOAT, length);
                    INDArray gradient = c.normal(DataType.FLOAT, length);
                    INDArray first = c.scaled(DataType.FLOAT, 0.1, length);
                    INDArray second = c.scaled(DataType.FLOAT, 0.1, length);
                    kernels().multiply(second, second, second, false);
                    c.compare(k -> k.adamW(parameter, gradient, first, second, step), parameter, first, second);
                }
            }
        }
    }

    /**
     * Against torch.optim.AdamW (lr 0.01, betas 0.9 and 0.99, eps 1e-6, weight decay 0.1, after clipping by 0.5): five
     * steps from {1, -0.5, 0.25, 2} with the gradient {0.1, -2, 1e-4, 0} times the number of the step.
     */
    @Test
    default void adamWAsInPyTorch() {
        try (KernelCase c = new KernelCase(this, "adamW of PyTorch")) {
            INDArray parameter = c.normal(DataType.FLOAT, 4);
            INDArray gradient = c.normal(DataType.FLOAT, 4);
            INDArray first = c.scaled(DataType.FLOAT, 0, 4);
            INDArray second = c.scaled(DataType.FLOAT, 0, 4);
            Arrays.write(parameter, 0, new float[] {1, -0.5f, 0.25f, 2}, 0, 4);
            for (int step = 1; step <= 5; step++) {
                float[] g = {0.1f * step, -2f * step, 1e-4f * step, 0};
                Arrays.write(gradient, 0, g, 0, 4);
                kernels().adamW(parameter, gradient, first, second,
                        new AdamWStep(step, 0.01, 0.9, 0.99, 1e-6, 0.1, 0.5));
            }
            // peft-core/src/test/python/adamw.py, torch 2.15.0
            float[] expected = {0.946720958f, -0.449215382f, 0.200991645f, 1.99002016f};
            // Five f32 updates: a few roundings of 6e-8 each.
            KernelCase.assertClose("parameters after five steps", expected, Arrays.toFloats(parameter), 1e-6);
        }
    }
}
