package io.peft4j.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts the work of matrix products, so that JMH prints it as a rate. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class MatrixWork {
    /** 10^9 floating-point operations; per second in the result. */
    public double gflops;

    /** Adds a product of [m, k] and [k, n]. */
    void product(long m, long k, long n) {
        gflops += 2e-9 * m * k * n;
    }
}
