package io.peft4j.train.optimizer;

import io.peft4j.core.array.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Loops over the elements of arrays on the heap, some at a time on several threads. The pieces do not depend on the
 * number of threads, so results are the same to the last bit.
 */
final class HeapTiles {
    /** A multiple of the blocks of 8-bit moments. */
    private static final int TILE = 1 << 14;

    private HeapTiles() {
    }

    /** Works on some elements. */
    @FunctionalInterface
    interface Work {
        void run(long first, int count);
    }

    static void run(long length, Work work) {
        int tiles = Math.toIntExact((length + TILE - 1) / TILE);
        IntStream.range(0, tiles).parallel().forEach(tile -> {
            long first = (long) tile * TILE;
            work.run(first, (int) Math.min(TILE, length - first));
        });
    }

    static float[] read(INDArray array, long first, int count) {
        float[] values = new float[count];
        Arrays.read(array, first, values, 0, count);
        return values;
    }

    /** Reads a gradient and scales it. */
    static float[] gradient(INDArray array, long first, int count, double scale) {
        float[] values = read(array, first, count);
        for (int i = 0; scale != 1 && i < count; i++) {
            values[i] *= (float) scale;
        }
        return values;
    }

    static void write(INDArray array, long first, float[] values) {
        Arrays.write(array, first, values, 0, values.length);
    }
}
