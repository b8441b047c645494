package io.peft4j.core.array;

import io.peft4j.core.Internal;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Work on the rows of a matrix on the heap, some rows at a time on several threads. The pieces do not depend on the
 * number of threads, so results are the same to the last bit.
 */
@Internal(shared = true)
public final class HeapRows {
    /** Rows that are read at once. */
    private static final int PIECE = 16;

    private HeapRows() {
    }

    /** Works on some rows. */
    @FunctionalInterface
    public interface Task {
        /**
         * Runs.
         *
         * @param piece number of the piece
         * @param from first row
         * @param count rows
         */
        void run(int piece, int from, int count);
    }

    /** The number of pieces. */
    public static int pieces(int rows) {
        return (rows + PIECE - 1) / PIECE;
    }

    /** Works on all rows, piece by piece. */
    public static void forPieces(int rows, Task task) {
        IntStream.range(0, pieces(rows)).parallel()
                .forEach(piece -> task.run(piece, piece * PIECE, Math.min(PIECE, rows - piece * PIECE)));
    }

    /** Reads some rows. */
    public static float[] read(INDArray x, int from, int count) {
        int width = Arrays.columns(x);
        float[] values = new float[count * width];
        Arrays.read(x, (long) from * width, values, 0, values.length);
        return values;
    }

    /** Writes rows, or adds to them. */
    public static void write(INDArray y, int from, float[] values, boolean accumulate) {
        int width = Arrays.columns(y);
        if (accumulate) {
            float[] before = read(y, from, values.length / width);
            for (int i = 0; i < values.length; i++) {
                values[i] += before[i];
            }
        }
        Arrays.write(y, (long) from * width, values, 0, values.length);
    }

    /** Writes all elements, or adds to them. */
    public static void write(INDArray y, float[] values, boolean accumulate) {
        float[] before = accumulate ? Arrays.toFloats(y) : new float[values.length];
        for (int i = 0; i < before.length; i++) {
            before[i] += values[i];
        }
        Arrays.write(y, 0, before, 0, before.length);
    }

    /** Writes all elements of a parameter's gradient, or adds to them. */
    public static void write(INDArray y, double[] values, boolean accumulate) {
        float[] all = accumulate ? Arrays.toFloats(y) : new float[values.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) (all[i] + values[i]);
        }
        Arrays.write(y, 0, all, 0, all.length);
    }

    /** The sum over all pieces, in their order. */
    public static double[] sum(double[][] pieces, int length) {
        double[] sum = new double[length];
        for (double[] piece : pieces) {
            for (int i = 0; i < length; i++) {
                sum[i] += piece[i];
            }
        }
        return sum;
    }
}
