package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums over pieces of columns and repetitions of columns, on a tape; each is the gradient of the other. */
final class Folding {
    private Folding() {
    }

    /**
     * {@code y[i][k] = sum over p of x[i][p width + k]}: x [N, C], y [N, width], FLOAT; the last piece may be short.
     */
    static Variable fold(Tape tape, Variable x, int width) {
        INDArray y = tape.allocateFloat(x.rows(), width);
        fold(x.value(), y, false);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> repeat(dy, dx, accumulate)), List.of(x));
    }

    /** {@code y[i][j] = x[i][j mod C]}: x [N, C], y [N, columns], FLOAT. */
    static Variable repeat(Tape tape, Variable x, int columns) {
        INDArray y = tape.allocateFloat(x.rows(), columns);
        repeat(x.value(), y, false);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> fold(dy, dx, accumulate)), List.of(x));
    }

    private static void fold(INDArray x, INDArray y, boolean accumulate) {
        int width = Arrays.columns(y);
        int columns = Arrays.columns(x);
        IntStream.range(0, Arrays.rows(y)).parallel().forEach(i -> {
            float[] row = new float[columns];
            float[] sum = new float[width];
            Arrays.read(x, (long) i * columns, row, 0, columns);
            if (accumulate) {
                Arrays.read(y, (long) i * width, sum, 0, width);
            }
            for (int first = 0; first < columns; first += width) {
                for (int k = 0; k < Math.min(width, columns - first); k++) {
                    sum[k] += row[first + k];
                }
            }
            Arrays.write(y, (long) i * width, sum, 0, width);
        });
    }

    private static void repeat(INDArray x, INDArray y, boolean accumulate) {
        int width = Arrays.columns(x);
        int columns = Arrays.columns(y);
        IntStream.range(0, Arrays.rows(y)).parallel().forEach(i -> {
            float[] piece = new float[width];
            float[] row = new float[columns];
            Arrays.read(x, (long) i * width, piece, 0, width);
            if (accumulate) {
                Arrays.read(y, (long) i * columns, row, 0, columns);
            }
            for (int first = 0; first < columns; first += width) {
                for (int k = 0; k < Math.min(width, columns - first); k++) {
                    row[first + k] += piece[k];
                }
            }
            Arrays.write(y, (long) i * columns, row, 0, columns);
        });
    }
}
