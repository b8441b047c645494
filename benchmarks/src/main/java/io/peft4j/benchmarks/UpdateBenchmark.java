package io.peft4j.benchmarks;

import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The loss of 128 tokens over the vocabulary, and the update of as many parameters as rank 16 on all layers has. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class UpdateBenchmark {
    private static final int TOKENS = 128;
    private static final int VOCABULARY = 49152;
    private static final int PARAMETERS = 4_884_480;

    private final int[] targets = new int[TOKENS];
    private final float[] values = new float[TOKENS];
    private final AdamWStep step = new AdamWStep(10, 1e-4, 0.9, 0.999, 1e-8, 0, 1);
    private INDArray logits;
    private INDArray parameter;
    private INDArray gradient;
    private INDArray firstMoment;
    private INDArray secondMoment;

    /** Makes the arrays; logits and adapters are always f32. */
    @Setup
    public void arrays(KernelState state) {
        logits = state.randomFloats(TOKENS, VOCABULARY);
        parameter = state.randomFloats(PARAMETERS);
        gradient = state.randomFloats(PARAMETERS);
        firstMoment = state.randomFloats(PARAMETERS);
        secondMoment = state.randomFloats(PARAMETERS);
        secondMoment.muli(secondMoment);
    }

    /** The loss of each token. */
    @Benchmark
    public float[] crossEntropy(KernelState state) {
        state.get().crossEntropy(logits, targets, values);
        return values;
    }

    /** Its gradient, over the logits. */
    @Benchmark
    public void crossEntropyBackward(KernelState state) {
        state.get().crossEntropyBackward(logits, targets, values);
    }

    /** An update. */
    @Benchmark
    public void adamW(KernelState state) {
        state.get().adamW(parameter, gradient, firstMoment, secondMoment, step);
    }

    /** What clipping needs. */
    @Benchmark
    public double sumOfSquares(KernelState state) {
        return state.get().sumOfSquares(gradient);
    }
}
