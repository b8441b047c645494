package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Products of low rank, outside of training. */
final class LowRank {
    private LowRank() {
    }

    /**
     * {@code w = w + scaling * left right}: w [M, K], left [M, r], right [r, K], all FLOAT. Sums in double, rounded
     * once; the rows are independent of each other, so the result does not depend on the number of threads.
     */
    static void add(INDArray w, INDArray left, INDArray right, double scaling) {
        int rank = Arrays.columns(left);
        int columns = Arrays.columns(right);
        float[] l = Arrays.toFloats(left);
        float[] r = Arrays.toFloats(right);
        IntStream.range(0, Arrays.rows(w)).parallel().forEach(i -> {
            float[] row = new float[columns];
            double[] sum = new double[columns];
            Arrays.read(w, (long) i * columns, row, 0, columns);
            for (int k = 0; k < rank; k++) {
                double factor = scaling * l[i * rank + k];
                for (int j = 0; j < columns; j++) {
                    sum[j] += factor * r[k * columns + j];
                }
            }
            for (int j = 0; j < columns; j++) {
                row[j] = (float) (row[j] + sum[j]);
            }
            Arrays.write(w, (long) i * columns, row, 0, columns);
        });
    }
}
