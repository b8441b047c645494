package io.peft4j.benchmarks;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.DenseWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The kernels under measurement and arrays for them. {@code -p kernels=nd4j,onednn} compares implementations. */
@State(Scope.Benchmark)
public class KernelState {
    /** Name of the kernels, or {@code best} for those that an application would get. */
    @Param("best")
    public String kernels;

    /** Type of large arrays: {@code f32} or {@code bf16}. */
    @Param({"f32", "bf16"})
    public String dtype;

    private final SplittableRandom random = new SplittableRandom(1);
    private final List<AutoCloseable> owned = new ArrayList<>();
    private Kernels implementation;

    /** Makes the kernels; their threads are those of {@code -Dpeft4j.threads}, else all processors. */
    @Setup(Level.Trial)
    public void open() {
        int threads = Integer.getInteger(KernelSelection.THREADS, Runtime.getRuntime().availableProcessors());
        implementation = kernels.equals("best") ? KernelSelection.best(threads)
                : KernelSelection.named(kernels, threads);
    }

    /** Frees everything. */
    @TearDown(Level.Trial)
    public void close() throws Exception {
        for (AutoCloseable one : owned) {
            one.close();
        }
        owned.clear();
        implementation.close();
    }

    Kernels get() {
        return implementation;
    }

    /** The type of large arrays. */
    DataType type() {
        return switch (dtype) {
            case "f32" -> DataType.FLOAT;
            case "bf16" -> DataType.BFLOAT16;
            default -> throw new IllegalArgumentException("dtype is f32 or bf16, not " + dtype);
        };
    }

    /** Random values between -0.5 and 0.5 in the type of large arrays. */
    INDArray random(long... shape) {
        return random(type(), shape);
    }

    /** Random floats between -0.5 and 0.5. */
    INDArray randomFloats(long... shape) {
        return random(DataType.FLOAT, shape);
    }

    /** A random frozen weight. */
    DenseWeight weight(int rows, int columns) {
        return new DenseWeight(random(rows, columns));
    }

    private INDArray random(DataType type, long... shape) {
        INDArray array = Arrays.zeros(type, shape);
        float[] values = new float[Math.toIntExact(array.length())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextDouble() - 0.5);
        }
        Arrays.write(array, 0, values, 0, values.length);
        owned.add(array);
        return array;
    }
}
