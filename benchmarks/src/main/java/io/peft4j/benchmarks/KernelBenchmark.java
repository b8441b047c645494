package io.peft4j.benchmarks;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One operation of the kernels, named with its sizes: {@code -p operation='linear 512x576x1536'} is tokens x input x
 * output. The product of 2048 x 2048 is in no model of this size: its rate is the limit that the others are a share
 * of. {@code encode} is the attention of an encoder of MiniLM's shape; {@code peers/torch_encoder.py} measures it and
 * {@code layerNorm}, {@code gelu} and {@code addBias} in PyTorch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class KernelBenchmark {
    private static final AttentionShape DECODER = new AttentionShape(9, 3, 64, 0.125f);
    private static final AttentionShape ENCODER = new AttentionShape(12, 12, 32, (float) (1 / Math.sqrt(32)));

    /** A name and sizes. */
    @Param({"linear 512x576x576", "linear 512x576x1536", "linear 512x1536x576", "linear 512x2048x2048",
        "linear 1x576x1536", "linearBackward 512x576x1536", "linearBackward 512x2048x2048",
        "down 512x576x16", "up 512x16x1536", "gradientOfB 512x16x1536", "gradientOfA 512x576x16",
        "attend 4x128", "attend 1x2048", "attendBackward 4x128", "attendBackward 1x2048",
        "encode 32x64", "encode 4x512", "encodeBackward 32x64", "encodeBackward 4x512",
        "rmsNorm 512x576", "rmsNormBackward 512x576", "layerNorm 2048x384", "layerNormBackward 2048x384",
        "rotary 512x576", "add 512x576", "addBias 2048x1536", "gated 512x1536", "gatedBackward 512x1536",
        "gelu 2048x1536", "geluBackward 2048x1536", "geluTanh 2048x1536",
        "crossEntropy 128x49152", "crossEntropyBackward 128x49152", "adamW 1x4884480", "sumOfSquares 1x4884480",
        "pack 8x80", "pack 64x80", "packSharing 8x80", "packSharing 64x80"})
    public String operation;

    private KernelState state;
    private Kernels kernels;
    private Runnable run;
    /** Kept, so that it is not left out. */
    private PackedBatch packed;

    /** Makes the arrays. */
    @Setup
    public void prepare(KernelState made) {
        state = made;
        kernels = made.get();
        String[] words = operation.split(" ");
        int[] sizes = Stream.of(words[1].split("x")).mapToInt(Integer::parseInt).toArray();
        run = words[0].startsWith("pack") ? packing(words[0], sizes[0], sizes[1])
                : words[0].startsWith("attend") || words[0].startsWith("encode") ? attention(words[0], sizes)
                        : sizes.length == 3 ? product(words[0], sizes[0], sizes[1], sizes[2])
                                : rows(words[0], sizes[0], sizes[1]);
    }

    /** Of sequences whose first 32 tokens are the same, one after the other or the common beginning once. */
    private Runnable packing(String name, int sequences, int length) {
        SplittableRandom random = new SplittableRandom(3);
        int[] prefix = random.ints(32, 0, 49152).toArray();
        List<TokenSequence> batch = Stream.generate(() -> TokenSequence.allSupervised(IntStream.concat(
                IntStream.of(prefix), random.ints(length - 32, 0, 49152)).toArray())).limit(sequences).toList();
        return name.equals("pack") ? () -> packed = PackedBatch.of(batch)
                : () -> packed = PackedBatch.sharingPrefixes(batch);
    }

    private Runnable product(String name, int rows, int in, int out) {
        INDArray x = state.random(rows, in);
        INDArray y = state.random(rows, out);
        FrozenWeight w = state.weight(out, in);
        INDArray a = state.randomFloats(out, in);
        INDArray xa = state.randomFloats(rows, out);
        INDArray narrow = state.randomFloats(rows, in);
        return switch (name) {
            case "linear" -> () -> kernels.linear(x, w, y, false);
            case "linearBackward" -> () -> kernels.linearBackward(y, w, x, false);
            case "down" -> () -> kernels.matmul(x, false, a, true, xa, 1, false);
            // A small factor keeps the sums in range.
            case "up" -> () -> kernels.matmul(narrow, false, a, true, y, 1e-9f, true);
            case "gradientOfB" -> () -> kernels.matmul(y, true, narrow, false, a, 1, false);
            case "gradientOfA" -> () -> kernels.matmul(xa, true, x, false, a, 1, false);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private Runnable attention(String name, int... sizes) {
        int[] lengths = new int[sizes[0]];
        Arrays.fill(lengths, sizes[1]);
        boolean decoder = name.startsWith("attend");
        AttentionShape heads = decoder ? DECODER : ENCODER;
        AttentionLayout layout = decoder ? AttentionLayout.packed(lengths) : AttentionLayout.bidirectional(lengths);
        int rows = layout.queryRows();
        INDArray q = state.random(rows, heads.queryColumns());
        INDArray k = state.random(rows, heads.keyColumns());
        INDArray v = state.random(rows, heads.keyColumns());
        INDArray out = state.random(rows, heads.queryColumns());
        INDArray lse = state.randomFloats(rows, heads.heads());
        INDArray dOut = state.random(rows, heads.queryColumns());
        INDArray dq = state.random(rows, heads.queryColumns());
        INDArray dk = state.random(rows, heads.keyColumns());
        INDArray dv = state.random(rows, heads.keyColumns());
        Runnable forward = () -> kernels.attention(q, k, v, layout, heads, out, lse);
        // The gradient reads out and lse.
        forward.run();
        return name.endsWith("Backward")
                ? () -> kernels.attentionBackward(dOut, q, k, v, out, lse, layout, heads, dq, dk, dv) : forward;
    }

    private Runnable rows(String name, int rows, int columns) {
        INDArray x = state.random(rows, columns);
        INDArray y = state.random(rows, columns);
        INDArray dy = state.random(rows, columns);
        INDArray other = state.random(rows, columns);
        INDArray weight = state.randomFloats(columns);
        INDArray mean = state.randomFloats(rows);
        INDArray rstd = state.randomFloats(rows);
        return switch (name) {
            case "rmsNorm" -> () -> kernels.rmsNorm(x, weight, 1e-5f, y, rstd);
            case "rmsNormBackward" -> () -> kernels.rmsNormBackward(dy, x, weight, rstd, y, false);
            case "layerNorm" -> () -> kernels.layerNorm(x, weight, Optional.of(weight), 1e-12f, y, mean, rstd);
            case "layerNormBackward" -> () -> kernels.layerNormBackward(dy, x, weight, mean, rstd, y, false);
            case "rotary" -> {
                float[] frequencies = new float[32];
                for (int i = 0; i < frequencies.length; i++) {
                    frequencies[i] = (float) Math.pow(1e5, -2.0 * i / 64);
                }
                RotaryTable table = new RotaryTable(frequencies, rows, 1);
                int[] positions = IntStream.range(0, rows).map(i -> i % 128).toArray();
                yield () -> kernels.rotary(x, 64, table, positions, false);
            }
            case "add" -> () -> kernels.add(x, dy, y);
            case "addBias" -> () -> kernels.addBias(y, weight);
            case "gated" -> () -> kernels.gated(Activation.SILU, x, dy, y);
            case "gatedBackward" -> () -> kernels.gatedBackward(Activation.SILU, dy, x, dy, y, other);
            case "gelu" -> () -> kernels.activate(Activation.GELU, x, y);
            case "geluBackward" -> () -> kernels.activateBackward(Activation.GELU, dy, x, y, false);
            case "geluTanh" -> () -> kernels.activate(Activation.GELU_TANH, x, y);
            default -> update(name, rows, columns);
        };
    }

    /** The loss and the update, whose arrays are always f32. */
    private Runnable update(String name, int rows, int columns) {
        INDArray values = state.randomFloats(rows, columns);
        INDArray gradient = state.randomFloats(rows, columns);
        INDArray firstMoment = state.randomFloats(rows, columns);
        INDArray secondMoment = state.randomFloats(rows, columns);
        secondMoment.muli(secondMoment);
        int[] targets = new int[rows];
        float[] losses = new float[rows];
        AdamWStep step = new AdamWStep(10, 1e-4, 0.9, 0.999, 1e-8, 0, 1);
        return switch (name) {
            case "crossEntropy" -> () -> kernels.crossEntropy(values, targets, losses);
            case "crossEntropyBackward" -> () -> kernels.crossEntropyBackward(values, targets, losses);
            case "adamW" -> () -> kernels.adamW(values, gradient, firstMoment, secondMoment, step);
            case "sumOfSquares" -> () -> kernels.sumOfSquares(gradient);
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** The operation, once. */
    @Benchmark
    public void operation() {
        run.run();
    }
}
