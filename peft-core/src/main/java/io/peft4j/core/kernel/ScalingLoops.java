package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaling of rows and columns, for all implementations of {@link Kernels}. Results do not depend on the number of
 * threads: each writes places of its own.
 */
final class ScalingLoops {
    private static final int BLOCK = 256;

    private ScalingLoops() {
    }

    static void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        int columns = Arrays.columns(x);
        float[] factors = Arrays.toFloats(v);
        rows(x, y, accumulate, (i, row) -> {
            for (int j = 0; j < columns; j++) {
                row[j] *= factors[j];
            }
        });
    }

    static void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        int columns = Arrays.columns(x);
        float[] factors = Arrays.toFloats(v);
        rows(x, y, accumulate, (i, row) -> {
            for (int j = 0; j < columns; j++) {
                row[j] *= factors[i];
            }
        });
    }

    /** Changes a row in place. */
    @FunctionalInterface
    private interface RowTask {
        void run(int row, float[] values);
    }

    private static void rows(INDArray x, INDArray y, boolean accumulate, RowTask task) {
        int columns = Arrays.columns(x);
        IntStream.range(0, Arrays.rows(x)).parallel().forEach(i -> {
            float[] row = new float[columns];
            Arrays.read(x, (long) i * columns, row, 0, columns);
            task.run(i, row);
            if (accumulate) {
                float[] before = new float[columns];
                Arrays.read(y, (long) i * columns, before, 0, columns);
                for (int j = 0; j < columns; j++) {
                    row[j] += before[j];
                }
            }
            Arrays.write(y, (long) i * columns, row, 0, columns);
        });
    }

    static void columnDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        int columns = Arrays.columns(a);
        float[] sums = accumulate ? Arrays.toFloats(v) : new float[columns];
        IntStream.range(0, (columns + BLOCK - 1) / BLOCK).parallel().forEach(block -> {
            int from = block * BLOCK;
            int count = Math.min(BLOCK, columns - from);
            float[] left = new float[count];
            float[] right = new float[count];
            double[] sum = new double[count];
            for (int i = 0; i < Arrays.rows(a); i++) {
                Arrays.read(a, (long) i * columns + from, left, 0, count);
                Arrays.read(b, (long) i * columns + from, right, 0, count);
                for (int j = 0; j < count; j++) {
                    sum[j] += (double) left[j] * right[j];
                }
            }
            for (int j = 0; j < count; j++) {
                sums[from + j] = (float) (sums[from + j] + sum[j]);
            }
        });
        Arrays.write(v, 0, sums, 0, columns);
    }

    static void rowDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        int columns = Arrays.columns(a);
        float[] sums = accumulate ? Arrays.toFloats(v) : new float[Arrays.rows(a)];
        IntStream.range(0, sums.length).parallel().forEach(i -> {
            float[] left = new float[columns];
            float[] right = new float[columns];
            Arrays.read(a, (long) i * columns, left, 0, columns);
            Arrays.read(b, (long) i * columns, right, 0, columns);
            double sum = 0;
            for (int j = 0; j < columns; j++) {
                sum += (double) left[j] * right[j];
            }
            sums[i] = (float) (sums[i] + sum);
        });
        Arrays.write(v, 0, sums, 0, sums.length);
    }
}
