package io.peft4j.core.peft;

import io.peft4j.core.array.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Transposes small matrices between memory and file. */
final class Transpose {
    private Transpose() {
    }

    /** The transpose of a matrix, in c order. */
    static float[] floats(INDArray matrix) {
        return floats(Arrays.toFloats(matrix), Arrays.rows(matrix), Arrays.columns(matrix));
    }

    static float[] floats(float[] values, int rows, int columns) {
        float[] result = new float[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                result[j * rows + i] = values[i * columns + j];
            }
        }
        return result;
    }
}
