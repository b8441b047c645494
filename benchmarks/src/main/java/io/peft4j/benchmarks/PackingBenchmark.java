package io.peft4j.benchmarks;

import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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

/** Packing of a batch: sequences of 80 tokens of which the first 32 are the same. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PackingBenchmark {
    private static final int LENGTH = 80;
    private static final int SHARED = 32;

    /** Sequences of the batch. */
    @Param({"8", "64"})
    public int sequences;

    private final List<TokenSequence> batch = new ArrayList<>();

    /** Makes the sequences. */
    @Setup
    public void sequences() {
        SplittableRandom random = new SplittableRandom(3);
        int[] prefix = random.ints(SHARED, 0, 49152).toArray();
        for (int i = 0; i < sequences; i++) {
            batch.add(TokenSequence.allSupervised(IntStream.concat(IntStream.of(prefix),
                    random.ints(LENGTH - SHARED, 0, 49152)).toArray()));
        }
    }

    /** One after the other. */
    @Benchmark
    public PackedBatch plain() {
        return PackedBatch.of(batch);
    }

    /** The common beginning once. */
    @Benchmark
    public PackedBatch sharingPrefixes() {
        return PackedBatch.sharingPrefixes(batch);
    }
}
