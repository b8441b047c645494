package io.peft4j.train;

import io.peft4j.core.Internal;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * How fast a training was, over the measured updates.
 *
 * @param tokensPerSecond tokens of the examples a second, each example's tokens counted in full
 * @param examplesPerSecond examples a second
 * @param stepSeconds median time of an update
 * @param firstStepSeconds from the start of the JVM to the end of its first update, loading the model included
 * @param allocatedBytesPerStep bytes allocated on the Java heap, the mean over the updates; empty where the JVM does
 *     not tell
 * @param peakResidentBytes the most memory the process has had resident, from its start; empty where the system does
 *     not tell
 * @param loss the loss of the last update
 * @param matmulGflops limit of the kernels: 10^9 floating-point operations of large matrix products a second, in the
 *     type that the model computes in
 * @param shareOfLimit the rate of the products with frozen weights, forward and back, divided by {@code matmulGflops}:
 *     1 would mean that nothing else took time
 */
@Internal(shared = true)
public record TrainingMeasurement(double tokensPerSecond, double examplesPerSecond, double stepSeconds,
        double firstStepSeconds, OptionalLong allocatedBytesPerStep, OptionalLong peakResidentBytes, double loss,
        double matmulGflops, double shareOfLimit) {
    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
