package io.peft4j.core.measure;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.DenseWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The limits of a machine that training and generation are held against: how fast it multiplies large matrices, and how
 * fast it reads memory. Measured, not looked up, so that a share of the limit means the same on every machine; each
 * takes about a second. Nothing else should run meanwhile.
 */
public final class SpeedLimits {
    /** Rows, input and output features: large enough to reach the limit, and like those of models. */
    private static final int[][] SHAPES = {{512, 576, 1536}, {1024, 2048, 2048}};
    /** Kernels slower than this show their limit on the first shape, and would take many seconds for the second. */
    private static final double SLOW_GFLOPS = 8;
    private static final long NANOS_A_SHAPE = 400_000_000;
    /** More than any cache holds. */
    private static final long MEMORY_BYTES = 256L << 20;
    private static final int TILE = 4096;
    private static final int PASSES = 5;

    private SpeedLimits() {
    }

    /**
     * The rate of large matrix products, {@code y = x W^T} with all three in one type: the best of several calls and
     * shapes.
     *
     * @param kernels what multiplies
     * @param type FLOAT or BFLOAT16
     * @return 10^9 floating-point operations a second; a product of [N, I] and [O, I] counts as {@code 2 N I O}
     */
    public static double matmulGflops(Kernels kernels, DataType type) {
        double best = 0;
        for (int[] shape : SHAPES) {
            if (best > 0 && best < SLOW_GFLOPS) {
                break;
            }
            best = Math.max(best, gflops(kernels, type, shape[0], shape[1], shape[2]));
        }
        return best;
    }

    private static double gflops(Kernels kernels, DataType type, int rows, int in, int out) {
        try (INDArray x = random(type, rows, in);
                DenseWeight w = new DenseWeight(random(type, out, in));
                INDArray y = Arrays.zeros(type, rows, out)) {
            kernels.linear(x, w, y, false);
            long best = Long.MAX_VALUE;
            long begin = System.nanoTime();
            do {
                long before = System.nanoTime();
                kernels.linear(x, w, y, false);
                best = Math.min(best, System.nanoTime() - before);
            } while (System.nanoTime() - begin < NANOS_A_SHAPE);
            return 2.0 * rows * in * out / best;
        }
    }

    private static INDArray random(DataType type, int rows, int columns) {
        Random random = new Random(rows * 31L + columns);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextDouble() - 0.5);
        }
        INDArray array = Arrays.zeros(type, rows, columns);
        Arrays.write(array, 0, values, 0, values.length);
        return array;
    }

    /**
     * The rate at which {@code threads} threads read memory that is in no cache: the best of several passes over 256
     * MB.
     *
     * @param threads number of threads, at least 1
     * @return 10^9 bytes a second
     */
    public static double memoryGigabytesPerSecond(int threads) {
        ExecutorService workers = Executors.newFixedThreadPool(threads);
        try (BytePointer memory = new BytePointer(MEMORY_BYTES)) {
            NativeMemory.clear(memory.address(), MEMORY_BYTES);
            long part = MEMORY_BYTES / threads / (4 * TILE) * (4 * TILE);
            long best = Long.MAX_VALUE;
            for (int pass = 0; pass < PASSES; pass++) {
                long begin = System.nanoTime();
                List<Future<?>> running = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    long start = memory.address() + i * part;
                    running.add(workers.submit(() -> read(start, part)));
                }
                for (Future<?> one : running) {
                    one.get();
                }
                best = Math.min(best, System.nanoTime() - begin);
            }
            return (double) part * threads / best;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the memory's speed was measured", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("cannot measure the memory's speed", e.getCause());
        } finally {
            workers.shutdownNow();
        }
    }

    /** Copies to a tile that stays in the nearest cache, so what it costs is the reading. */
    private static void read(long address, long bytes) {
        float[] tile = new float[TILE];
        for (long done = 0; done < bytes; done += 4L * TILE) {
            NativeMemory.read(address + done, tile, 0, TILE);
        }
    }
}
