package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The elements of an array whose shape has been checked, read and written as floats a tile at a time. */
record Elements(long address, boolean narrow) {
    /** Elements of a task. */
    static final int PIECE = 4 * Tiles.TILE;
    /** Elements of a task that takes whole rows, about. */
    private static final int ROWS_PIECE = 16 * Tiles.TILE;
    /** Of a lane: that of the values to which a result is added. */
    private static final int LAST_SLOT = 7;

    /** Computes the elements from {@code first} on. */
    @FunctionalInterface
    interface TileTask {
        void run(long first, int count, Tiles lane);
    }

    /** Runs the task for all tiles, those of a piece one after the other. */
    static void forTiles(Workers<?> workers, long length, TileTask task) {
        workers.run(Math.toIntExact((length + PIECE - 1) / PIECE), (lane, part) -> {
            long end = Math.min(length, (part + 1L) * PIECE);
            for (long first = (long) part * PIECE; first < end; first += Tiles.TILE) {
                task.run(first, (int) Math.min(Tiles.TILE, end - first), lane);
            }
        });
    }

    @FunctionalInterface
    interface RowTask<L> {
        void run(int row, L lane);
    }

    /** How many rows of so many elements make a task. */
    static int rowsOfATask(int width) {
        return Math.max(1, ROWS_PIECE / width);
    }

    /** Runs the task for all rows, those of a piece one after the other. */
    static <L extends Tiles> void forRows(Workers<L> workers, int rows, int width, RowTask<? super L> task) {
        int piece = rowsOfATask(width);
        workers.run((rows + piece - 1) / piece, (lane, part) -> {
            for (int row = part * piece; row < Math.min(rows, (part + 1) * piece); row++) {
                task.run(row, lane);
            }
        });
    }

    /**
     * Brings tiles of the inputs into slots 0, 1, ... of a lane, and writes what the task leaves in slot 0 to the same
     * place of the result, or adds it.
     */
    static void compute(Workers<?> workers, INDArray result, boolean accumulate, TileTask task, INDArray... inputs) {
        Elements[] all = of(inputs);
        Elements target = of(result);
        forTiles(workers, result.length(), (first, count, lane) -> {
            for (int i = 0; i < all.length; i++) {
                all[i].read(first, lane.tile(i), count, lane);
            }
            task.run(first, count, lane);
            target.write(first, lane.tile(0), count, accumulate, lane, LAST_SLOT);
        });
    }

    /** As {@link #compute}, with whole rows instead of tiles. */
    static <L extends Tiles> void computeRows(Workers<L> workers, INDArray result, boolean accumulate,
            RowTask<? super L> task, INDArray... inputs) {
        Elements[] all = of(inputs);
        Elements target = of(result);
        int width = Arrays.columns(result);
        forRows(workers, Arrays.rows(result), width, (row, lane) -> {
            long first = (long) row * width;
            for (int i = 0; i < all.length; i++) {
                all[i].read(first, lane.floats(i, width), width, lane);
            }
            task.run(row, lane);
            target.write(first, lane.floats(0, width), width, accumulate, lane, LAST_SLOT);
        });
    }

    private static Elements[] of(INDArray... arrays) {
        return Stream.of(arrays).map(Elements::of).toArray(Elements[]::new);
    }

    static Elements of(INDArray array) {
        return new Elements(Arrays.address(array), array.dataType() == DataType.BFLOAT16);
    }

    /** Reads {@code count} elements from element {@code first} on to the start of {@code target}. */
    void read(long first, float[] target, int count, Tiles lane) {
        if (narrow) {
            short[] bits = lane.shorts(count);
            NativeMemory.read(address + 2 * first, bits, 0, count);
            lane.loops().widen(bits, target, count);
        } else {
            NativeMemory.read(address + 4 * first, target, 0, count);
        }
    }

    /** Writes the first {@code count} floats of {@code source} to the elements from {@code first} on. */
    void write(long first, float[] source, int count, Tiles lane) {
        if (narrow) {
            short[] bits = lane.shorts(count);
            lane.loops().narrow(source, bits, count);
            NativeMemory.write(address + 2 * first, bits, 0, count);
        } else {
            NativeMemory.write(address + 4 * first, source, 0, count);
        }
    }

    /** Writes, or adds to what is there; {@code source} is changed in the second case. */
    void write(long first, float[] source, int count, boolean accumulate, Tiles lane, int slot) {
        if (accumulate) {
            float[] old = lane.floats(slot, count);
            read(first, old, count, lane);
            for (int i = 0; i < count; i++) {
                source[i] += old[i];
            }
        }
        write(first, source, count, lane);
    }
}
