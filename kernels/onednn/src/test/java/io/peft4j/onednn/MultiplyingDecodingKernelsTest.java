package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.DenseWeight;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Passes of generation where bf16 is multiplied as it is, on processors that have an instruction for it. */
@Tag("forced-bf16")
class MultiplyingDecodingKernelsTest extends DecodingKernelsTest {
    @Override
    protected Kernels create(int threads, int rows) {
        return new OneDnnKernels(threads, DnnlLibrary.multipliesBFloat16() ? "multiply" : "auto").forGeneration(rows);
    }

    @Test
    void aBatchAfterSingleRowsAndSingleRowsAfterABatch() {
        float[] ones = new float[20 * 64];
        java.util.Arrays.fill(ones, 1);
        try (Kernels kernels = create(2, 8); DenseWeight w = new DenseWeight(Arrays.zeros(DataType.BFLOAT16, 96, 64))) {
            float[] values = new float[96 * 64];
            for (int i = 0; i < values.length; i++) {
                values[i] = i / 64;
            }
            Arrays.write(w.values(), 0, values, 0, values.length);
            for (int rows : new int[] {1, 20, 3, 1}) {
                try (INDArray x = Arrays.zeros(DataType.BFLOAT16, rows, 64);
                        INDArray y = Arrays.zeros(DataType.BFLOAT16, rows, 96)) {
                    Arrays.write(x, 0, ones, 0, rows * 64);
                    kernels.linear(x, w, y, false);
                    float[] results = Arrays.toFloats(y);
                    for (int i = 0; i < results.length; i++) {
                        // 64 times the row's number: it has seven bits or fewer.
                        assertEquals(64 * (i % 96), results[i], "row " + i / 96 + " of " + rows);
                    }
                }
            }
        }
    }
}
