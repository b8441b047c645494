package io.peft4j.lora;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.FrozenWeight;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The 2-norms of the rows of V = W + s B A, one for each output feature, without making V: with P = A W^T [r, out] and
 * the Gram matrix G = A A^T [r, r], {@code |V_i|^2 = |W_i|^2 + 2 s B_i P_i + s^2 B_i G B_i^T}. That costs what r more
 * tokens cost in the frozen layer, and works on quantized weights as on others.
 */
final class DoraNorm {
    private final FrozenWeight weight;
    private final boolean embedding;
    private final double scaling;
    private final double[] squares;

    private DoraNorm(FrozenWeight weight, boolean embedding, double scaling) {
        this.weight = weight;
        this.embedding = embedding;
        this.scaling = scaling;
        this.squares = new double[embedding ? weight.columns() : weight.rows()];
        float[] row = new float[weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, row, 0);
            for (int j = 0; j < row.length; j++) {
                squares[embedding ? j : i] += (double) row[j] * row[j];
            }
        }
    }

    /** For a linear layer: W [out, in], A [r, in], B [out, r]. */
    static DoraNorm ofLinear(FrozenWeight weight, double scaling) {
        return new DoraNorm(weight, false, scaling);
    }

    /** For an embedding: W is the transposed table [H, V], A is held as [V, r], B [H, r]. */
    static DoraNorm ofEmbedding(FrozenWeight table, double scaling) {
        return new DoraNorm(table, true, scaling);
    }

    /** The norms for A and B as they are. */
    float[] compute(Kernels kernels, Arena arena, INDArray a, INDArray b) {
        int rank = Arrays.columns(b);
        INDArray p = arena.allocate(DataType.FLOAT, rank, squares.length);
        INDArray gram = arena.allocate(DataType.FLOAT, rank, rank);
        if (embedding) {
            INDArray transposed = arena.allocate(DataType.FLOAT, rank, Arrays.rows(a));
            transpose(a, transposed);
            kernels.linearBackward(transposed, weight, p, false);
            arena.free(transposed);
        } else {
            kernels.linear(a, weight, p, false);
        }
        kernels.matmul(a, embedding, a, !embedding, gram, 1f, false);
        float[] norms = combine(Arrays.toFloats(p), Arrays.toFloats(gram), Arrays.toFloats(b), rank);
        arena.free(gram);
        arena.free(p);
        return norms;
    }

    private float[] combine(float[] p, float[] gram, float[] b, int rank) {
        float[] norms = new float[squares.length];
        IntStream.range(0, norms.length).parallel().forEach(i -> {
            double cross = 0;
            double square = 0;
            for (int k = 0; k < rank; k++) {
                double bk = b[i * rank + k];
                cross += bk * p[k * squares.length + i];
                double inner = 0;
                for (int l = 0; l < rank; l++) {
                    inner += (double) gram[k * rank + l] * b[i * rank + l];
                }
                square += bk * inner;
            }
            // Rounding may take a row that the change has nearly cancelled below zero.
            norms[i] = (float) Math.sqrt(Math.max(0, squares[i] + scaling * (2 * cross + scaling * square)));
        });
        return norms;
    }

    private static void transpose(INDArray matrix, INDArray result) {
        int rows = Arrays.rows(matrix);
        int columns = Arrays.columns(matrix);
        float[] values = Arrays.toFloats(matrix);
        float[] transposed = new float[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * rows + i] = values[i * columns + j];
            }
        }
        Arrays.write(result, 0, transposed, 0, transposed.length);
    }
}
